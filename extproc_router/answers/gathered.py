"""What is gathered of an answer while it is read: each thing up to a bound, and built into a `Heard` on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extproc_router.attempts import Called, Heard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.attempts import Usage

MAX_TEXT: Final = 65_536
"""Characters of text, and of a refusal; the rest is not gathered."""

MAX_TOKENS: Final = 8192
"""Log-probabilities, the first of the answer."""

MAX_CALLS: Final = 128
"""Tool calls; OpenAI takes no more tools than that."""

MAX_ARGUMENTS: Final = 65_536
"""Characters of one call's arguments. Arguments of this length were cut, maybe, and need not be JSON any more."""

MAX_NAME: Final = 256
"""Characters of a tool's name; OpenAI and Anthropic take 64 and 128."""


class _Text:
    """Pieces of a text, up to a number of characters."""

    __slots__ = ("_pieces", "_room")

    def __init__(self, room: int) -> None:
        self._pieces: list[str] = []
        self._room = room

    def add(self, piece: str) -> None:
        if piece and self._room:
            self._pieces.append(piece[: self._room])
            self._room -= len(self._pieces[-1])

    def __str__(self) -> str:
        return "".join(self._pieces)


class _Call:
    """A tool call; `otherwise` are its arguments where none came in pieces."""

    __slots__ = ("arguments", "name", "otherwise")

    def __init__(self) -> None:
        self.name = ""
        self.arguments = _Text(MAX_ARGUMENTS)
        self.otherwise = ""


class Gathered:
    """Of one answer.

    Attributes:
        finish: as `Heard.finish`.
        usage: as `Heard.usage`.
        broken: as `Heard.broken`.
        complete: as `Heard.complete`.
    """

    def __init__(self) -> None:
        self.finish = ""
        self.usage: Usage | None = None
        self.broken = False
        self.complete = False
        self._text = _Text(MAX_TEXT)
        self._refusal = _Text(MAX_TEXT)
        self._calls: dict[float, _Call] = {}
        self._tokens: list[float] = []
        self._pieces = 0

    @property
    def called(self) -> bool:
        """Whether there is a tool call."""
        return bool(self._calls)

    def say(self, text: str) -> None:
        """Add to the text."""
        self._text.add(text)
        self._pieces += bool(text)

    def refuse(self, text: str) -> None:
        """Add to the refusal."""
        self._refusal.add(text)
        self._pieces += bool(text)

    def call(self, place: float | None, name: str, arguments: str = "", otherwise: str = "") -> None:
        """Add to a tool call, which begins where its place is new.

        Args:
            place: what tells it from other calls; None where it stands for itself.
            name: of the tool; the first that is not empty counts.
            arguments: the next piece of them.
            otherwise: all of them, where they come in no pieces.
        """
        call = self._calls.get(place) if place is not None else None
        if call is None:
            if len(self._calls) >= MAX_CALLS:
                return
            # Below zero: no server counts there.
            call = self._calls.setdefault(-1 - len(self._calls) if place is None else place, _Call())
        call.name = call.name or name[:MAX_NAME]
        call.arguments.add(arguments)
        call.otherwise = otherwise[:MAX_ARGUMENTS] or call.otherwise
        self._pieces += bool(name or arguments)

    def argue(self, place: float | None, arguments: str) -> None:
        """Add to the arguments of the call that began at `place`; what else it may be that has some is no such call."""
        if place in self._calls:
            self.call(place, "", arguments)

    def weigh(self, logprobs: Iterable[float | None]) -> None:
        """Add the log-probabilities of the next tokens; None, for a token without one, is left out."""
        room = MAX_TOKENS - len(self._tokens)
        self._tokens += [min(logprob, 0.0) for logprob in logprobs if logprob is not None][:room]

    def end(self, finish: str) -> None:
        """The answer's end was heard, and why it ended."""
        self.finish = finish
        self.complete = True

    def heard(self, *, streamed: bool) -> Heard:
        """What was gathered so far; `streamed` tells whether pieces mean anything."""
        return Heard(
            text=str(self._text),
            refusal=str(self._refusal),
            finish=self.finish,
            calls=tuple(Called(call.name, str(call.arguments) or call.otherwise) for call in self._calls.values()),
            tokens=tuple(self._tokens),
            pieces=self._pieces if streamed else 0,
            usage=self.usage,
            broken=self.broken,
            complete=self.complete,
        )
