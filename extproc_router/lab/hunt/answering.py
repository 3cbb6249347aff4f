"""An encoder and language models that say what a case has them say, and a record of what they were asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from extproc_router.errors import EncoderFailed, EncoderOverloaded, EncoderTimeout, ModelTimeout, ShedError
from extproc_router.lab.hunt.sources import ARTEFACT_FLOOR, ATTACK, DOMAINS, PERSON, PRIVATE, PUZZLE, ROUTE_WORDS
from extproc_router.signals.base import Answers, Cost, Resources
from extproc_router.types import Ask, Encoding, Pair, Question, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.lab.hunt.requests import Case
    from extproc_router.router import Plan
    from extproc_router.signals.base import Reader, Subject
    from extproc_router.types import HeadAnswer, Signal

HEADS: Final = frozenset({"difficulty", "domain", "jailbreak", "pii", "reasoning"})

_FAILURES: Final[Mapping[str, type[ShedError]]] = {
    "dead": EncoderFailed,
    "late": EncoderTimeout,
    "overloaded": EncoderOverloaded,
}


class Round(Struct, frozen=True):
    """What was asked at once, and which texts were answered."""

    asks: tuple[Ask, ...]
    questions: tuple[Question, ...]
    answered: frozenset[str]

    def told(self) -> Iterator[tuple[bool, frozenset[str], bool]]:
        """Yield of each text whether it was answered, the heads, and whether its embedding was wanted."""
        for ask in self.asks:
            yield ask.text in self.answered, ask.heads, ask.embedding


def embed(text: str) -> tuple[float, ...]:
    """Embed a text by the words of routes in it: texts without any have nothing in common with anything."""
    found = [float(word in text) for word in ROUTE_WORDS]
    length = sum(found) ** 0.5 or 1.0
    return tuple(value / length for value in found)


def resources(floor: float | None = None) -> Resources:
    """Return what an artefact would offer."""
    return Resources(HEADS, DOMAINS, ARTEFACT_FLOOR if floor is None else floor, embed)


def answer(case: Case, plan: Plan) -> tuple[Answers, Round]:
    """Answer a plan as far as nothing goes wrong."""
    encodings = {} if case.faults.encoder == "silent" else {ask.text: _encode(case, ask) for ask in plan.asks}
    answered = frozenset(text for text, encoding in encodings.items() if isinstance(encoding, Encoding))
    said = {question.signal: reply for question in plan.questions if (reply := _say(case, question)) is not None}
    return Answers(encodings, said), Round(plan.asks, plan.questions, answered)


def _encode(case: Case, ask: Ask) -> Encoding | ShedError:
    faults = case.faults
    if faults.encoder in _FAILURES:
        return _FAILURES[faults.encoder]("a fault")
    # By the text alone: who asks again is answered alike.
    if faults.encoder == "texts" and (crc32(ask.text.encode("utf-8", "replace")) ^ case.salt) % 2:
        return EncoderFailed("a fault")
    heads = {head: _head(case, head, ask.text) for head in ask.heads - faults.lost}
    embedding = embed(ask.text) if ask.embedding and not case.heads.abstains else None
    return Encoding(
        heads | {head: wrong for head, wrong in faults.confused.items() if head in ask.heads},
        dict.fromkeys(heads, 1),
        tokens=len(ask.text) // 4,
        windowed=False,
        abstained=case.heads.abstains,
        embedding=embedding,
    )


def _head(case: Case, head: str, text: str) -> HeadAnswer:
    said = case.heads
    if head == "domain":
        return said.domain
    if head == "jailbreak":
        return said.attack[ATTACK not in text]
    if head == "reasoning":
        return said.puzzle[PUZZLE not in text]
    if head == "difficulty":
        return Pair(said.difficulty, 1.0 - said.difficulty, said.difficulty)
    at = text.find(PRIVATE[PERSON])
    return () if at < 0 or said.abstains else (Span(at, at + len(PRIVATE[PERSON]), PERSON, said.person),)


def _say(case: Case, question: Question) -> bytes | ShedError | None:
    match case.faults.matcher:
        case "names":
            return b'{"choices":[{"message":{"content":"{\\"route\\": \\"contracts\\"}"}}]}'
        case "garbage":
            return [b"", b"\xff", b'{"choices":[]}', b'{"choices":[{"message":{"content":"{}"}}]}'][case.salt % 4]
        case "error":
            return ModelTimeout(question.signal)
        case _:
            return None


class Flaky:
    """A reader that can be broken for a while, and is the real one else; members as in `signals.base.Reader`.

    Args:
        reader: the real one.
        broken: signal name -> how it breaks (`faults.BREAKS`); changes between cases.
    """

    def __init__(self, reader: Reader, broken: Mapping[str, str]) -> None:
        self._reader, self._broken = reader, broken
        self.name: str = reader.name
        self.cost: Cost = reader.cost
        self.known: frozenset[str] | None = reader.known
        self.numeric: bool = reader.numeric
        self.floor: float = reader.floor

    def asks(self, subject: Subject) -> tuple[Ask | Question, ...]:
        """Ask, or break."""
        if self._broken.get(self.name) == "asks":
            raise ValueError("a fault")
        return self._reader.asks(subject)

    def read(self, subject: Subject, answers: Answers) -> Signal:
        """Read, or break."""
        how = self._broken.get(self.name)
        if how in {"asks", "read"}:
            raise RuntimeError("a fault")
        signal = self._reader.read(subject, answers)
        return replace(signal, confidence=float("nan")) if how == "nan" else signal
