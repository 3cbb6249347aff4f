"""What answers are judged by, compiled from the config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.config.verifier_schema import Weights

if TYPE_CHECKING:
    from extproc_router.config.verifier_schema import Verifier


class Terms(Struct, frozen=True):
    """How the answers of all cascades are judged; what differs between them is in their `Verification`.

    Attributes:
        refusal_phrases: beginnings of refusals beside those that are known, as written.
        ignore: signs that do not count.
        weights: of the head.
    """

    refusal_phrases: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()
    weights: Weights = Weights()


def of(written: Verifier) -> Terms:
    """Compile the config's section `verifier`."""
    return Terms(tuple(written.refusal_phrases), frozenset(written.ignore), written.weights)
