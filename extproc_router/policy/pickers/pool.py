"""What several strategies do with the names in their options and with what is left of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Scope


def require_models(field: str, names: Iterable[str], scope: Scope) -> None:
    """Check that names written in a field are those of models to choose from.

    Raises:
        ValueError: some are not; it names them.
    """
    pool = {candidate.name for candidate in scope.pool}
    strangers = [repr(name) for name in names if name not in pool]
    if strangers:
        raise ValueError(f"{field}: {', '.join(strangers)} not among the models to choose from")


def require_signal(name: str, scope: Scope, *, number: bool = False) -> None:
    """Check that a signal exists, and that it gives a number where one is wanted.

    Raises:
        ValueError: it does not.
    """
    if name not in scope.signals:
        raise ValueError(f"unknown signal {name!r}")
    if number and name not in scope.numbers:
        raise ValueError(f"{name!r} is no number")


def first_of(order: Sequence[Candidate]) -> frozenset[str]:
    """Return the name of the first alone, where nothing else is acceptable."""
    return frozenset({order[0].name})
