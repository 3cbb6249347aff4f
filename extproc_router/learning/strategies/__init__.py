"""The strategies by the name that a command and an artefact give them; one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.learning.strategies.ensemble import Ensemble
from extproc_router.learning.strategies.factorisation import Factorisation
from extproc_router.learning.strategies.linear import Linear
from extproc_router.learning.strategies.neighbours import Neighbours
from extproc_router.learning.strategies.similarity import Similarity
from extproc_router.learning.strategies.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STRATEGIES", "Settings"]

Settings = Similarity | Factorisation | Neighbours | Linear | Table | Ensemble

STRATEGIES: Mapping[str, type[Settings]] = {
    "similarity": Similarity,
    "mf": Factorisation,
    "neighbours": Neighbours,
    "linear": Linear,
    "table": Table,
    "ensemble": Ensemble,
}
