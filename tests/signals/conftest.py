from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from extproc_router.signals import KINDS
from extproc_router.signals.base import NO_ANSWERS, Answers, Reader, Resources, Subject
from extproc_router.types import Encoding, HeadAnswer, Request, Signal, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping


class MakeSubject(Protocol):
    """Makes a request's subject from (role, text) pairs; a bare text is the user's."""

    def __call__(
        self, *turns: str | tuple[str, str], headers: Mapping[str, str] | None = None, **members: Any
    ) -> Subject: ...


class Build(Protocol):
    """Builds a signal, named after its kind, from options as a config has them."""

    def __call__(self, kind: str, **options: Any) -> Reader: ...


class Look(Protocol):
    """Builds a signal as `Build` does, and reads it in one user's turn."""

    def __call__(self, kind: str, text: str, **options: Any) -> Signal: ...


def make_subject(*turns: str | tuple[str, str], headers: Mapping[str, str] | None = None, **members: Any) -> Subject:
    pairs = [("user", turn) if isinstance(turn, str) else turn for turn in turns]
    plain: dict[str, Any] = {
        "api": "chat_completions",
        "model": "auto",
        "model_span": (0, 0),
        "stream": False,
        "modalities": frozenset(),
        "tools": False,
    }
    return Subject(headers or {}, Request(turns=tuple(Turn(*pair) for pair in pairs), **(plain | members)))


@pytest.fixture(scope="session")
def subject() -> MakeSubject:
    return make_subject


@pytest.fixture(scope="session")
def resources() -> Resources:
    """What an artefact with every head offers; texts are embedded by their lengths."""
    return Resources(
        heads=frozenset({"domain", "jailbreak", "reasoning", "difficulty", "pii"}),
        domains=("law", "math", "other"),
        confidence_floor=0.4,
        embed=lambda text: (float(len(text) % 7 + 1), 1.0, float(len(text) % 3)),
    )


@pytest.fixture(scope="session")
def build(resources: Resources) -> Build:
    def built(kind: str, **options: Any) -> Reader:
        return KINDS[kind].build(kind, KINDS[kind].options.model_validate({"kind": kind, **options}), resources)

    return built


@pytest.fixture(scope="session")
def look(build: Build) -> Look:
    def looked(kind: str, text: str, **options: Any) -> Signal:
        return build(kind, **options).read(make_subject(text), NO_ANSWERS)

    return looked


@pytest.fixture(scope="session")
def answered() -> Answered:
    return answer


class Answered(Protocol):
    """Answers as if the encoder had read one text with one head."""

    def __call__(self, text: str, head: str, said: HeadAnswer, *, abstained: bool = False) -> Answers: ...


def answer(text: str, head: str, said: HeadAnswer, *, abstained: bool = False) -> Answers:
    return Answers({text: Encoding({head: said}, {head: 0}, 9, windowed=False, abstained=abstained)})
