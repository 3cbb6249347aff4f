"""Parts of the engine, swapped for broken ones for a while."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

Part: TypeAlias = Any
"""A function or an object of the engine, whichever it is."""

Make: TypeAlias = Callable[[Part], Part]
"""The part as it should be -> the broken one."""


class Patch(Struct, frozen=True):
    """One part that is swapped: where it is, its name, and what becomes of it."""

    owner: Part
    part: str
    make: Make

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Swap it for a while."""
        original = self.owner.__dict__[self.part]
        setattr(self.owner, self.part, self.make(original))
        try:
            yield
        finally:
            setattr(self.owner, self.part, original)


class Mutant(Struct, frozen=True):
    """An engine that is broken on purpose: what is wrong with it, and how it comes so."""

    name: str
    patches: tuple[Patch, ...]

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Break the engine for a while."""
        with ExitStack() as stack:
            for patch in self.patches:
                stack.enter_context(patch.installed())
            yield


def broken(name: str, owner: Part, part: str, make: Make) -> Mutant:
    """Return an engine with one broken part."""
    return Mutant(name, (Patch(owner, part, make),))
