from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import cascades, outcomes
from extproc_router.evaluation.cascades import BOTH, CASCADE, ORACLE, ROUTING, STRONG, WEAK

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.arrays import Floats
    from extproc_router.evaluation.cascades import Cascades
    from extproc_router.evaluation.outcomes import Outcomes, Pair


def sample(make: Callable[..., Outcomes], n: int = 1500) -> tuple[Pair, Floats]:
    generator = np.random.default_rng(0)
    difficulty = generator.normal(size=n)
    weak = (generator.random(n) < 1 / (1 + np.exp(difficulty - 0.5))).astype(np.float64)
    strong = (generator.random(n) < 1 / (1 + np.exp(difficulty - 2.5))).astype(np.float64)
    rows = make(weak, strong, costs=np.tile([1.0, 5.0], (n, 1)))
    return outcomes.pair(rows, weak="weak", strong="strong"), difficulty + generator.normal(size=n)


@pytest.fixture(scope="module")
def found() -> Cascades:
    from tests.evaluation.conftest import outcomes as make  # noqa: PLC0415 - the fixture of the same name is a function's

    pair, need = sample(make)
    return cascades.evaluate(pair, need, predictor="hint", goal=0.98, rounds=8, seed=0)


def test_the_ends_are_what_they_are(found: Cascades) -> None:
    operations = found.assumed.operations
    assert operations[WEAK].cost.mean == pytest.approx(0.2)
    assert operations[STRONG].cost.mean == operations[STRONG].relative.mean == 1.0
    assert operations[ORACLE].quality.mean >= max(row.quality.mean for row in operations.values())
    assert found.price == pytest.approx(0.2)


def test_confidence_beats_prediction_where_it_is_better(found: Cascades) -> None:
    operations = found.assumed.operations
    routing, cascade = operations[ROUTING], operations[CASCADE]
    assert routing.escalated.mean == 0.0
    assert cascade.escalated.mean == pytest.approx(cascade.strong.mean)
    assert cascade.cost.mean == pytest.approx(0.2 + cascade.escalated.mean)
    assert routing.recovered
    assert cascade.recovered
    assert cascade.recovered.mean > routing.recovered.mean


def test_both_are_at_least_as_good_where_the_verifier_is_middling(found: Cascades) -> None:
    middling = found.sensitivity[1]
    assert middling.auc == pytest.approx(0.7)
    assert middling.ahead is not None
    assert middling.ahead.mean > 0
    assert middling.operations[BOTH].strong.mean >= middling.operations[BOTH].escalated.mean


def test_a_better_verifier_reaches_the_goal_for_less(found: Cascades) -> None:
    reached = [at.operations[CASCADE].reaches or np.inf for at in found.sensitivity]
    assert reached == sorted(reached, reverse=True)


def test_curves_rise_with_the_budget(found: Cascades) -> None:
    for curve in found.curves.values():
        assert curve[-1][1] > curve[0][1]
        assert curve[0][0] >= 0.2 - 1e-9


def test_the_same_seed_gives_the_same_figures(make: Callable[..., Outcomes]) -> None:
    pair, need = sample(make, 400)
    first, second = (cascades.evaluate(pair, need, predictor="x", goal=0.9, rounds=2, seed=1) for _ in range(2))
    assert first == second


def test_two_equal_models_leave_nothing_to_recover(make: Callable[..., Outcomes]) -> None:
    quality = np.tile([0.0, 1.0], 150)
    rows = make(quality, quality, costs=np.tile([1.0, 5.0], (300, 1)))
    pair = outcomes.pair(rows, weak="weak", strong="strong")
    found = cascades.evaluate(pair, np.zeros(300), predictor="x", goal=0.98, rounds=2, seed=0)
    assert found.assumed.ahead is None
    assert found.assumed.operations[CASCADE].recovered is None
    assert found.assumed.operations[CASCADE].relative.mean == 1.0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"costs": None}, "costs"),
        ({"costs": np.tile([5.0, 1.0], (300, 1))}, "less than the strong"),
        ({"quality": np.full((300, 2), 3.0)}, r"\[0, 1\]"),
    ],
)
def test_what_cannot_be_compared_is_told(make: Callable[..., Outcomes], changes: dict[str, object], why: str) -> None:
    rows = make(np.zeros(300), np.ones(300), **{"costs": np.tile([1.0, 5.0], (300, 1)), **changes})
    pair = outcomes.pair(rows, weak="weak", strong="strong")
    with pytest.raises(StartupError, match=why):
        cascades.evaluate(pair, np.zeros(300), predictor="x", goal=0.98, rounds=2, seed=0)


def test_a_handful_of_rows_or_rounds_is_refused(make: Callable[..., Outcomes]) -> None:
    pair, need = sample(make, 100)
    with pytest.raises(StartupError, match="too few"):
        cascades.evaluate(pair, need, predictor="x", goal=0.98, rounds=2, seed=0)
    with pytest.raises(StartupError, match="one round"):
        cascades.evaluate(pair, need, predictor="x", goal=0.98, rounds=1, seed=0)
