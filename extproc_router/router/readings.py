"""The signals of one request, each read when a rule first asks for it, and never twice."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from extproc_router.errors import ShedError
from extproc_router.policy.conditions import PENDING_SIGNAL
from extproc_router.signals import context
from extproc_router.signals.base import Answers, Cost
from extproc_router.signals.head import Head
from extproc_router.types import Ask, Evidence, Question, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from extproc_router.signals.base import Reader, Subject


class Readings:
    """Reads signals, and remembers them.

    Args:
        readers: by name.
        subject: the request.
    """

    def __init__(self, readers: Mapping[str, Reader], subject: Subject) -> None:
        self._readers = readers
        self._read: dict[str, Signal] = {}
        self._counted: dict[Callable[[str], int], int | None] = {}
        self._asks: dict[str, tuple[Ask | Question, ...]] = {}
        self._asked: dict[str, Ask] = {}
        self.subject = subject
        self.answers = Answers()

    def read(self, name: str) -> Signal:
        """Return a signal; `PENDING_SIGNAL` where the encoder or a language model has to be asked first.

        A reader that raises leaves its signal absent.
        """
        known = self._read.get(name)
        if known is not None:
            return known
        reader = self._readers[name]
        try:
            if reader.cost >= Cost.ENCODER and self._open(name, reader):
                return PENDING_SIGNAL
            signal = _checked(reader.read(self.subject, self.answers))
        except ShedError as error:
            signal = Signal(name, "", 0.0, absent=error.cause)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one signal, the request is decided
            # Not its message: that may quote the prompt.
            signal = Signal(name, "", 0.0, absent=type(error).__name__)
        self._read[name] = signal
        return signal

    def _open(self, name: str, reader: Reader) -> list[Ask | Question]:
        if name not in self._asks:
            self._asks[name] = reader.asks(self.subject)
        return [ask for ask in self._asks[name] if not self._answered(ask)]

    def _answered(self, ask: Ask | Question) -> bool:
        if isinstance(ask, Question):
            return ask.signal in self.answers.said
        # Another signal may have asked less of the same text in an earlier round.
        before = self._asked.get(ask.text)
        return (
            before is not None
            and ask.text in self.answers.encodings
            and ask.heads <= before.heads
            and before.embedding >= ask.embedding
        )

    def at_hand(self, head: str) -> float | None:
        """Return the number of a signal that asks a head of the encoder; None where no such one has been read."""
        readers = ((self._readers[name], signal) for name, signal in self._read.items())
        return next((said.number for reader, said in readers if isinstance(reader, Head) and reader.head == head), None)

    def count(self, counter: Callable[[str], int] | None) -> int | None:
        """Count the prompt's tokens with a model's tokenizer, once; None without one, and where it raises."""
        if counter is None:
            return None
        if counter not in self._counted:
            try:
                self._counted[counter] = counter(self.subject.said) + context.overhead(self.subject)
            except Exception:  # noqa: BLE001 - the estimate stands
                self._counted[counter] = None
        return self._counted[counter]

    def asks(self, names: Iterable[str]) -> tuple[tuple[Ask, ...], tuple[Question, ...]]:
        """Return what has to be answered before these signals can be read: one ask for each text."""
        texts: dict[str, Ask] = {}
        questions: list[Question] = []
        for name in sorted(names):
            for ask in self._open(name, self._readers[name]):
                if isinstance(ask, Question):
                    questions.append(ask)
                    continue
                before = texts.get(ask.text) or self._asked.get(ask.text) or Ask(ask.text)
                # What was answered in an earlier round is asked again with the rest: one encoding replaces the other.
                texts[ask.text] = Ask(ask.text, before.heads | ask.heads, before.embedding or ask.embedding)
        self._asked |= texts
        return tuple(texts.values()), tuple(questions)

    def take(self, answers: Answers) -> None:
        """Take answers in."""
        self.answers = Answers({**self.answers.encodings, **answers.encodings}, {**self.answers.said, **answers.said})

    def evidence(self) -> tuple[Evidence, ...]:
        """Return what was read, in the order of reading, fit to be kept."""
        return tuple(
            Evidence(
                signal.name,
                signal.label,
                signal.confidence,
                tuple(sorted(signal.labels)) if self._readers[name].known is not None else (),
                signal.number,
                signal.absent,
            )
            for name, signal in self._read.items()
        )


def _checked(signal: Signal) -> Signal:
    # It would pass every comparison: none of them says that it is out of bounds.
    if isnan(signal.confidence) or (signal.number is not None and isnan(signal.number)):
        raise ValueError("not a number")
    return signal
