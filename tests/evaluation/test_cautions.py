"""Sentences that a reader must be told; their cases by hand are in test_routing.py and test_many.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.evaluation import routing
from extproc_router.evaluation.cautions import FEW_ROWS, cautions

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.outcomes import Outcomes


def test_nothing_is_told_where_there_is_nothing_to_tell(noisy: Callable[..., Outcomes]) -> None:
    rows = noisy(4000)
    gain = rows.quality[:, 1] - rows.quality[:, 0]
    found = routing.evaluate(rows, {"sure": gain}, strong="strong", weak="weak", bootstrap=200)
    assert cautions(found) == []


def test_few_rows_are_told_and_the_gravest_comes_first(make: Callable[..., Outcomes]) -> None:
    found = routing.evaluate(make([1, 0], [1, 0]), {}, strong="strong", weak="weak", bootstrap=50)
    told = cautions(found)
    assert "not complementary" in told[0]
    assert told[-1].startswith("only 2 rows")
    assert FEW_ROWS > 2
