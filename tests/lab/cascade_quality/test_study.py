from __future__ import annotations

import pytest

from extproc_router.lab.cascade_quality import study
from extproc_router.lab.cascade_quality.picking import BOTH, CASCADE, ROUTING, Seen
from extproc_router.lab.cascade_quality.playing import Served
from extproc_router.lab.cascade_quality.policies import STRONG, WEAK, Policy
from extproc_router.lab.cascade_quality.prompts import Halves, Prompt
from extproc_router.lab.cascade_quality.study import ALWAYS_STRONG, ALWAYS_WEAK, Findings, Lead, Range, Settings

SETTINGS = Settings({WEAK: 0.1, STRONG: 1.0}, answer_tokens=20, budget=0.5, separation=1.0, seed=0)
COUNT = 200


def served(good: int, *, cost: float, model: str = WEAK) -> list[Served]:
    """Return `COUNT` answers, the first ones good."""
    return [
        Served(number < good, model, cost, features={"mean_logprob": -0.1 - 0.005 * number}) for number in range(COUNT)
    ]


def findings() -> Findings:
    """Return what is found where both together are as good as strong, routing is worse, and the cascade is as good."""
    strong = served(160, cost=1.0, model=STRONG)
    found = {
        ALWAYS_WEAK: served(100, cost=0.1),
        ALWAYS_STRONG: strong,
        ROUTING: served(120, cost=0.4),
        CASCADE: served(160, cost=0.45),
        BOTH: served(160, cost=0.4),
    }
    return study.findings(Seen(served(100, cost=0.1), strong), dict.fromkeys(found, Policy()), found, SETTINGS)


def test_figures_are_shares_of_always_strong() -> None:
    found = findings()
    rows = {row.name: row for row in found.policies}

    assert (found.picked, found.measured, found.budget) == (COUNT, COUNT, 0.5)
    assert found.auc > 0.9
    assert rows[ALWAYS_STRONG].quality == pytest.approx(0.8)
    assert (rows[ALWAYS_STRONG].relative, rows[ALWAYS_STRONG].cost) == (Range(1, 1, 1), Range(1, 1, 1))
    assert (rows[ALWAYS_STRONG].strong, rows[BOTH].strong) == (1, 0)
    assert rows[ROUTING].relative.value == pytest.approx(0.75)
    assert rows[ROUTING].relative.low < 0.75 < rows[ROUTING].relative.high
    assert rows[BOTH].cost.value == pytest.approx(0.4)


def test_leads_are_told_beyond_chance() -> None:
    over_routing, over_cascade = findings().leads

    assert (over_routing.over, over_routing.told) == (ROUTING, "better")
    assert (over_cascade.over, over_cascade.told) == (CASCADE, "cannot be told apart")
    assert over_cascade.cost.value == pytest.approx(-0.05)
    assert Lead("x", Range(-0.1, -0.2, -0.01), Range(0, 0, 0)).told == "worse"


@pytest.mark.envoy
def test_it_runs_through_the_real_stack() -> None:
    def half(what: str) -> tuple[Prompt, ...]:
        return tuple(
            Prompt(f"{what} question {number}?", weak=number % 2 == 0, strong=number % 10 != 1) for number in range(60)
        )

    found = study.run(Halves(half("first"), half("second")), SETTINGS)

    rows = {row.name: row for row in found.policies}
    assert list(rows) == [ALWAYS_WEAK, ALWAYS_STRONG, ROUTING, CASCADE, BOTH]
    assert (rows[ALWAYS_WEAK].quality, rows[ALWAYS_STRONG].quality) == (0.5, 0.9)
    assert (rows[ALWAYS_WEAK].strong, rows[ALWAYS_STRONG].strong) == (0, 1)
    assert rows[ALWAYS_WEAK].cost.value == pytest.approx(0.1, abs=0.01)
    # The simulated log-probabilities tell good answers from bad ones.
    assert found.auc > 0.8
    assert rows[CASCADE].quality > rows[ALWAYS_WEAK].quality
    assert rows[CASCADE].strong == rows[CASCADE].escalated
    assert rows[CASCADE].cost.value == pytest.approx(0.1 + rows[CASCADE].escalated, abs=0.02)
