"""What every signal is to the policy, and what signals read from.

A kind of signal is one module of this room with

    class Options(Section)           what may be written in the config; `kind` is a Literal of the module's name
    def build(name: str, options: Options, resources: Resources) -> Reader

and a line in `signals.KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct, field

from extproc_router import json_text
from extproc_router.errors import BodyUnread, ShedError
from extproc_router.signals import prompt
from extproc_router.types import Encoding

if TYPE_CHECKING:
    from extproc_router.types import Ask, Question, Request, Signal

YES = "yes"
"""The one label of a flag that is raised."""


class Cost(IntEnum):
    """What reading a signal takes; rules read cheap ones first."""

    FACT = 0  # below a microsecond or two: a look at headers or at the request
    TEXT = 1  # up to some hundred microseconds: a walk through the text
    ENCODER = 2  # milliseconds, on the encoder's thread
    MODEL = 3  # a language model is asked, over the network


class Subject:
    """One request, as signals look at it; each text is made once, when somebody asks for it.

    Args:
        headers: lower-case names, repeated ones joined with `, `.
        request: what a dialect read; None where nobody reads the body.
    """

    def __init__(self, headers: Mapping[str, str], request: Request | None) -> None:
        self.headers = headers
        self._request = request

    @property
    def request(self) -> Request:
        """What a dialect read.

        Raises:
            BodyUnread: nothing was.
        """
        if self._request is None:
            raise BodyUnread("the body is not read")
        return self._request

    @cached_property
    def prompt(self) -> str:
        """What the user wants now: the last turn, with the one before where it is short."""
        return prompt.text_of(self.request)

    @cached_property
    def declared(self) -> str:
        """What models read and no turn says: descriptions and schemas of tools and of the answer, documents."""
        return json_text.strings(self.request.declared) if self.request.declared else ""

    @cached_property
    def incoming(self) -> str:
        """What is declared, and every turn that neither the operator nor the model wrote."""
        return _joined(self.declared, prompt.incoming_of(self.request))

    @cached_property
    def said(self) -> str:
        """All turns, oldest first, a line or more each."""
        return "\n".join(turn.text for turn in self.request.turns if turn.text)

    @cached_property
    def everything(self) -> str:
        """What is declared, and all turns."""
        return _joined(self.declared, self.said)


def _joined(declared: str, said: str) -> str:
    return f"{declared}\n{said}" if declared and said else declared or said


class Answers(Struct, frozen=True):
    """What the encoder and language models said, or why they did not.

    Attributes:
        encodings: text -> what the encoder read in it, with every head that any signal asked of this text.
        said: signal name -> the body of a language model's answer.
    """

    encodings: Mapping[str, Encoding | ShedError] = field(default_factory=dict)
    said: Mapping[str, bytes | ShedError] = field(default_factory=dict)

    def encoding(self, text: str) -> Encoding:
        """Return what was read in a text that was asked for.

        Raises:
            ShedError: it could not be read.
        """
        encoding = self.encodings[text]
        if isinstance(encoding, ShedError):
            raise encoding
        return encoding


NO_ANSWERS = Answers()


class Reader(Protocol):
    """One signal, compiled. Stateless, and safe to use from several threads.

    Attributes:
        name: as rules write it.
        cost: what reading it takes.
        known: the labels it may give; empty where it is a number alone, None where they cannot be listed.
        numeric: whether it gives a number.
        floor: a label below this confidence decides nothing, in [0, 1]; 0 for facts.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see above
    @property
    def cost(self) -> Cost: ...  # noqa: D102 - see above
    @property
    def known(self) -> frozenset[str] | None: ...  # noqa: D102 - see above
    @property
    def numeric(self) -> bool: ...  # noqa: D102 - see above
    @property
    def floor(self) -> float: ...  # noqa: D102 - see above

    def asks(self, subject: Subject) -> tuple[Ask | Question, ...]:
        """What must be answered before `read`; empty below `Cost.ENCODER`, and where there is nothing to read."""
        ...

    def read(self, subject: Subject, answers: Answers) -> Signal:
        """Read the signal.

        Args:
            subject: the request.
            answers: to `asks`; `NO_ANSWERS` below `Cost.ENCODER`.

        Raises:
            ShedError: an answer that it needs was not given. Whatever it raises, the signal counts as absent.
        """
        ...


Embed: TypeAlias = Callable[[str], tuple[float, ...]]


class Resources(Struct, frozen=True):
    """What building signals may need from the encoder artefact that will read for them.

    Attributes:
        heads: names of its heads.
        domains: labels of its domain head.
        confidence_floor: of its domain head, in [0, 1].
        embed: text -> its embedding, of length 1.
    """

    heads: frozenset[str]
    domains: tuple[str, ...]
    confidence_floor: float
    embed: Embed
