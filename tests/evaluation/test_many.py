from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import documents, many
from extproc_router.evaluation.cautions import many_cautions

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.outcomes import Outcomes

QUALITY = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 0, 0.0]])
COSTS = np.tile([1.0, 2.0, 4.0], (4, 1))


def three(make: Callable[..., Outcomes], **changes: object) -> Outcomes:
    return make([0] * 4, [0] * 4, models=("small", "middle", "large"), quality=QUALITY, **changes)


def test_by_hand(make: Callable[..., Outcomes]) -> None:
    found = many.evaluate(three(make, costs=COSTS), {}, bootstrap=50)
    oracle = found.strategies["oracle"]
    assert [model.name for model in found.models] == ["large", "small", "middle"]
    assert (found.oracle_quality, found.headroom) == (1.0, 0.25)
    assert (oracle.quality, oracle.cost, oracle.regret) == (1.0, 2.0, 0.0)
    assert oracle.shares == {"small": 0.5, "middle": 0.25, "large": 0.25}
    # From small everywhere (1, 0.5) by the middle model on row 1 (slope 1) to large on row 2 (slope 1/3).
    assert oracle.frontier == [(1.0, 0.5), (1.25, 0.75), (2.0, 1.0)]
    # Over costs 1 to 4: trapezoids 0.25 * 0.625 + 0.75 * 0.875, then 1.0 up to the dearest.
    assert oracle.auc == pytest.approx((0.25 * 0.625 + 0.75 * 0.875 + 2.0) / 3, abs=1e-12)
    assert oracle.match_cost == pytest.approx(1.25)
    assert oracle.over_best == pytest.approx(0.25)


def test_without_costs_there_is_one_point(make: Callable[..., Outcomes]) -> None:
    found = many.evaluate(three(make), {"mine": QUALITY[:, ::-1]}, bootstrap=0)
    mine = found.strategies["mine"]
    assert mine.cost is None
    assert mine.auc is None
    assert len(mine.frontier) == 1
    assert mine.oracle_gap == pytest.approx(1.0 - mine.quality)


def test_equal_models_cannot_pay(make: Callable[..., Outcomes]) -> None:
    same = np.repeat((np.random.default_rng(0).random(500) < 0.5)[:, None], 3, axis=1).astype(float)
    found = many.evaluate(make([0] * 500, [0] * 500, models=("a", "b", "c"), quality=same), {}, bootstrap=100)
    assert any("not complementary" in caution for caution in many_cautions(found))
    assert documents.many(found)["warnings"]


def test_rarely_tried_models_are_left_out(make: Callable[..., Outcomes]) -> None:
    quality = np.ones((100, 3))
    quality[:10, 2] = np.nan
    quality[0, 0] = np.nan
    rows = make([0] * 100, [0] * 100, models=("a", "b", "c"), quality=quality)
    kept, left = many.complete(rows)
    assert (kept.models, left, len(kept)) == (("a", "b"), ("c",), 99)
    quality[:50, 1] = np.nan
    with pytest.raises(StartupError, match="fewer than two models"):
        many.complete(rows)


def test_bad_predictions_are_refused(make: Callable[..., Outcomes]) -> None:
    for bad in (QUALITY[:, :2], np.full((4, 3), np.nan)):
        with pytest.raises(StartupError, match="strategy mine"):
            many.evaluate(three(make), {"mine": bad})
