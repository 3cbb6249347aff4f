from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extproc_router.server.body_budget import BodyBudget


def test_a_share_grows_and_is_given_back() -> None:
    budget = BodyBudget(100)
    with budget.lease() as lease:
        assert lease.cover(60)
        assert lease.cover(40), "less than it has"
        assert budget.held == 60
        assert lease.cover(100)
        with budget.lease() as other:
            assert not other.cover(1)
            assert other.refused
            assert other.cover(0)
        assert not lease.refused
    assert budget.held == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 150)), max_size=30))
def test_the_bound_holds_and_nothing_is_lost(steps: list[tuple[int, int]]) -> None:
    budget = BodyBudget(100)
    leases = [budget.lease() for _ in range(4)]
    for index, size in steps:
        leases[index].cover(size)
        assert 0 <= budget.held <= 100
    for lease in leases:
        with lease:
            pass
    assert budget.held == 0
