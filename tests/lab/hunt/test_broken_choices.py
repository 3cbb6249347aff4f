from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.lab.hunt import engines
from extproc_router.lab.hunt.broken_choices import MUTANTS

if TYPE_CHECKING:
    from extproc_router.lab.hunt.mutant import Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_is_caught(mutant: Mutant) -> None:
    result = engines.try_mutant(mutant, seed=0)
    assert result.caught, result.how
