from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.evaluation import cascade_grid
from extproc_router.evaluation.cascade_grid import Rows

_SCORES = st.lists(st.integers(0, 4), min_size=3, max_size=20)


def rows(need: list[int], good: list[int], seed: int = 0) -> Rows:
    generator = np.random.default_rng(seed)
    n = min(len(need), len(good))
    weak, strong = generator.random((2, n))
    costs = np.stack([generator.random(n) * 0.2, generator.random(n) + 1], axis=1)
    return Rows(np.array(need[:n], dtype=float), np.array(good[:n], dtype=float), weak, strong, costs)


@given(_SCORES, _SCORES, st.integers(0, 5), st.integers(0, 5))
def test_every_pair_of_thresholds_is_worked_out_as_by_hand(need: list[int], good: list[int], a: int, b: int) -> None:
    some = rows(need, good)
    direct_from, accept_from = np.arange(6.0), np.arange(6.0)
    found = cascade_grid.effects(some, direct_from, accept_from)
    direct = some.need >= direct_from[a]
    escalated = ~direct & (some.good < accept_from[b])
    strong = direct | escalated
    assert found.quality[a, b] == pytest.approx(np.where(strong, some.strong, some.weak).mean())
    cost = np.where(direct, 0.0, some.costs[:, 0]) + np.where(strong, some.costs[:, 1], 0.0)
    assert found.cost[a, b] == pytest.approx(cost.mean())
    assert found.direct[a, b] == pytest.approx(direct.mean())
    assert found.escalated[a, b] == pytest.approx(escalated.mean())


def test_cuts_go_from_all_to_none() -> None:
    values = np.arange(100.0)
    cuts = cascade_grid.cuts(values, 4)
    assert [int((values >= cut).sum()) for cut in cuts] == [100, 75, 50, 25, 0]


def test_the_cheapest_that_reaches_a_quality() -> None:
    some = rows(list(range(10)), list(range(10)))
    found = cascade_grid.effects(some, cascade_grid.cuts(some.need, 5), cascade_grid.cuts(some.good, 5))
    place = cascade_grid.cheapest(found, some.strong.mean())
    assert place is not None
    assert found.quality[place] >= some.strong.mean() - 1e-9
    assert found.cost[place] == found.cost[found.quality >= some.strong.mean() - 1e-9].min()
    assert cascade_grid.cheapest(found, 2.0) is None


def test_the_best_within_a_budget() -> None:
    some = rows(list(range(10)), list(range(10)))
    found = cascade_grid.effects(some, cascade_grid.cuts(some.need, 5), cascade_grid.cuts(some.good, 5))
    place = cascade_grid.best(found, 0.8)
    assert place is not None
    assert found.cost[place] <= 0.8
    assert found.quality[place] == found.quality[found.cost <= 0.8].max()
    assert cascade_grid.best(found, 0.0) is None
