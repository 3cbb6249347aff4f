"""Signals that are given instead of read: by a case that somebody wrote, or by a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from extproc_router.policy.stickiness import Held
from extproc_router.router import Router
from extproc_router.signals.base import Cost, Reader
from extproc_router.signals.pii import Pii
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.signals.base import Answers, Subject
    from extproc_router.types import Ask, Question

# Nobody attacks a memory that lives for a few requests.
_SECRET = bytes(16)


class Given(Struct, frozen=True):
    """A reader that says what it was given; members as in `signals.base.Reader`.

    Attributes:
        signal: what it says.
        reader: whose place it takes.
    """

    signal: Signal
    reader: Reader

    @property
    def name(self) -> str:
        """Of the signal."""
        return self.signal.name

    @property
    def cost(self) -> Cost:
        """That of the reader whose place it takes."""
        return self.reader.cost

    @property
    def known(self) -> frozenset[str] | None:
        """Likewise."""
        return self.reader.known

    @property
    def numeric(self) -> bool:
        """Likewise."""
        return self.reader.numeric

    @property
    def floor(self) -> float:
        """Likewise."""
        return self.reader.floor

    def asks(self, subject: Subject) -> tuple[Ask | Question, ...]:
        """Nothing, unless personal data may have to be found again, to be redacted."""
        return self.reader.asks(subject) if isinstance(self.reader, Pii) else ()

    def read(self, _: Subject, __: Answers) -> Signal:
        """Say it."""
        return self.signal


def fresh(router: Router, readers: Iterable[Reader] = (), held: Held | None = None) -> Router:
    """Return a router that decides alike, with another memory of conversations.

    Args:
        router: decides.
        readers: take the places of those of the same names.
        held: the memory; an empty one by default.
    """
    replaced = {**router.terms.readers, **{reader.name: reader for reader in readers}}
    return Router(replace(router.terms, readers=replaced), memory() if held is None else held)


def memory() -> Held:
    """Return an empty memory of one conversation."""
    return Held(1, _SECRET)
