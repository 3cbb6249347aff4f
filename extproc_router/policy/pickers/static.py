"""`static`: the order in which the rule names its models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from extproc_router.options import Section
from extproc_router.policy.base import Ranked
from extproc_router.policy.pickers.pool import first_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Scope, Situation


class Options(Section):
    """The first that can serve the request, in the order written."""

    pick: Literal["static"]


class Static(Struct, frozen=True):
    """See `Options`."""

    needs: frozenset[str] = frozenset()

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked:  # noqa: ARG002  the same for every request
        """Leave the order as it is."""
        order = tuple(pool)
        return Ranked(order, first_of(order), "first in the rule's order")


def build(options: Options, scope: Scope) -> Static:  # noqa: ARG001  every strategy is built alike
    """Compile."""
    return Static()
