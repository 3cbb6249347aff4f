from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from extproc_router.lab import chain_bench
from extproc_router.lab.chain_rig import ACCEPTED, CASES, REFUSED, SINGLE
from extproc_router.lab.load import Result

if TYPE_CHECKING:
    import pytest

    from extproc_router.lab.chain_rig import ChainRig

RESULT = Result(requests=100, seconds=1.0, errors=0, p50_ms=2.0, p99_ms=4.0, max_ms=8.0)


class Rig:
    """Finds the same in every round, less noise that all cases of a round share."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def warm_up(self) -> None:
        self.asked.append("warm_up")

    def round(self, number: int, rounds: int, seconds: float) -> dict[str, Result]:
        self.asked.append((number, rounds, seconds))
        noise = (0.0, 5.0, 1.0)[number]
        found = dict.fromkeys(CASES, replace(RESULT, p50_ms=2.0 + noise))
        return {
            **found,
            REFUSED: replace(RESULT, errors=1, p50_ms=2 * (2.0 + noise)),
            ACCEPTED: replace(RESULT, p50_ms=3.5 + noise),
        }

    def streams(self, count: int) -> tuple[list[float], list[float]]:
        assert count == chain_bench.STREAMS
        return [1.0, 9.0, 2.0], [1.5, 9.25, 1.0]


def test_each_round_is_compared_with_its_own_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_bench, "DECISIONS", 3)
    rig = Rig()
    found = chain_bench.measure(cast("ChainRig", rig), rounds=3, seconds=0.5)

    assert rig.asked == ["warm_up", (0, 3, 0.5), (1, 3, 0.5), (2, 3, 0.5)]
    cases = {case.name: case for case in found.cases}
    assert list(cases) == list(CASES)
    assert (cases[SINGLE].added_p50_ms, cases[SINGLE].ratio_p50, cases[SINGLE].p50_ms) == (0, 1, 3.0)
    assert (cases[REFUSED].ratio_p50, cases[REFUSED].errors, cases[REFUSED].requests) == (2.0, 3, 300)
    assert cases[ACCEPTED].added_p50_ms == 1.5
    assert (found.streams.without_ms, found.streams.beside_ms, found.streams.added_ms) == (2.0, 1.5, 0.25)


def test_decisions_walk_what_they_are_called_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_bench, "DECISIONS", 3)
    costs = chain_bench.decision_costs()

    assert [cost.name for cost in costs] == ["one model", "chain of 3", "cascade, then 2 more"]
    assert all(cost.p50_us > 0 for cost in costs)
