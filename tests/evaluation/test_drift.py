from __future__ import annotations

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import drift
from extproc_router.evaluation.histograms import Histograms

LABELS = ("a", "b", "c", "d")


def traffic(n: int, seed: int, *, shares: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1), shift: float = 0.0) -> Histograms:
    generator = np.random.default_rng(seed)
    found = Histograms(rows=n)
    for label in generator.choice(LABELS, size=n, p=shares):
        found.add_label("domain label", str(label))
    for value in generator.beta(5, 2, size=n):
        found.add_unit("domain confidence", value - shift)
    for value in generator.lognormal(5, 1, size=n):
        found.add_length("prompt length", int(value))
    return found


def test_unmoved_traffic_raises_no_more_alarms_than_stated() -> None:
    runs = 300
    alarms = sum(
        any(shift.p_adjusted <= 0.05 for shift in drift.compare(traffic(200, seed), traffic(300, 10_000 + seed)).shifts)
        for seed in range(runs)
    )
    assert alarms <= 0.05 * runs + 3 * np.sqrt(0.05 * 0.95 * runs)


@pytest.mark.parametrize(
    ("changes", "signal"),
    [({"shares": (0.1, 0.3, 0.2, 0.4)}, "domain label"), ({"shift": 0.25}, "domain confidence")],
)
def test_moved_traffic_is_found_and_named(changes: dict[str, object], signal: str) -> None:
    found = drift.compare(traffic(1000, 0), traffic(800, 1, **changes))  # type: ignore[arg-type]  # one of two
    assert found.remeasure
    assert [shift.signal for shift in found.shifts if shift.alarm] == [signal]
    if signal == "domain label":
        assert {found.shifts[0].moved[0].label, found.shifts[0].moved[1].label} == {"a", "d"}


def labelled(labels: list[str]) -> Histograms:
    found = Histograms(rows=len(labels))
    for label in labels:
        found.add_label("source", label)
    return found


def test_a_turnover_of_rare_labels_is_found() -> None:
    before, after = ([f"{name} {at % 100}" for at in range(400)] for name in ("old", "new"))
    assert drift.compare(labelled(before), labelled(after)).remeasure


def test_a_long_tail_of_labels_is_no_turnover() -> None:
    # Most labels of either side do not occur on the other; nothing has moved.
    generator = np.random.default_rng(0)
    alarms = sum(
        drift.compare(
            *(labelled(list(map(str, generator.zipf(1.3, size=300)))) for _ in range(2)), alpha=0.05
        ).remeasure
        for _ in range(200)
    )
    assert alarms <= 0.05 * 200 + 3 * np.sqrt(0.05 * 0.95 * 200)


def test_a_significant_trifle_is_no_alarm() -> None:
    found = drift.compare(traffic(40_000, 0), traffic(40_000, 1, shares=(0.42, 0.28, 0.2, 0.1)))
    assert found.shifts[0].p_adjusted < 0.01
    assert not found.shifts[0].alarm
    assert not found.remeasure


def test_a_changed_decision_alone_does_not_ask_for_a_new_frontier() -> None:
    before, after = Histograms(rows=500), Histograms(rows=500)
    for number in range(500):
        before.add_label("model", "small")
        after.add_label("model", "small" if number % 2 else "large")
    before.versions, after.versions = {"config": {"1": 500}}, {"config": {"2": 500}}
    found = drift.compare(before, after)
    assert found.shifts[0].alarm
    assert not found.remeasure
    assert any("config version changed (1 -> 2)" in note for note in found.notes)


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(StartupError, match="the current has 10 rows"):
        drift.compare(traffic(100, 0), traffic(10, 0))
    only = Histograms(rows=100)
    only.add_label("other", "x")
    with pytest.raises(StartupError, match="share no signal"):
        drift.compare(traffic(100, 0), only)
    only.add_label("domain label", "a")
    only.dropped = 4
    notes = drift.compare(traffic(100, 0), only).notes
    assert any(note.startswith("only in the current, not compared: other") for note in notes)
    assert any("lost 4 lines" in note for note in notes)
