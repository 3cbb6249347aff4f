from __future__ import annotations

from extproc_router.evaluation import cascade_tables
from extproc_router.evaluation.calibrate import Calibration, Effect, Expected, Goal
from extproc_router.evaluation.cascade_calibrate import CascadeCalibration
from extproc_router.evaluation.cascade_simulation import ASSUMPTION
from extproc_router.evaluation.cascades import BOTH, CASCADE, ROUTING, STRONG, Cascades, Figure, Operation, Sensitivity

_HALF = Figure(0.5, 0.4, 0.6)
_ROW = Operation(_HALF, _HALF, _HALF, _HALF, _HALF, _HALF, 0.25)
_FIXED = Operation(_HALF, _HALF, _HALF, _HALF, _HALF, None, None)


def sensitivity(auc: float, ahead: Figure | None) -> Sensitivity:
    return Sensitivity(auc, 1.0, {STRONG: _FIXED, ROUTING: _ROW, CASCADE: _ROW, BOTH: _ROW}, ahead)


def found(ahead: Figure | None) -> Cascades:
    return Cascades(
        100, "small", "large", 0.1, "mf", 0.98, 20, 0, sensitivity(0.93, ahead), (sensitivity(0.6, None),), {}
    )


def test_the_assumption_is_said() -> None:
    text = cascade_tables.cascades(found(Figure(0.1, 0.05, 0.2)))
    assert ASSUMPTION in text
    assert "AUC of 0.93" in text
    assert "recovers more of the gap than either alone: +0.100" in text


def test_chance_is_called_chance() -> None:
    assert "cannot be told" in cascade_tables.cascades(found(Figure(0.1, -0.05, 0.2)))
    assert "nothing to recover" in cascade_tables.cascades(found(None))


def test_every_way_has_a_row_under_every_heading() -> None:
    some = found(Figure(0.1, 0.05, 0.2))
    rows = cascade_tables.rows(some.assumed)
    assert [row[0] for row in rows] == [STRONG, ROUTING, CASCADE, BOTH]
    assert {len(row) for row in rows} == {len(cascade_tables.HEAD)}
    assert [row[0] for row in cascade_tables.sensitivity(some)] == ["0.60", "0.93"]


def test_a_calibration_says_what_to_expect() -> None:
    effect = Effect(0.3, 0.98, None)
    calibration = Calibration(
        n=100, goal=Goal.QUALITY, value=0.98, threshold=-0.4, sample=effect, expected=Expected((0.2, 0.4), None, None),
        requests=100, margin=0.01, rounds=90, rounds_asked=100, seed=0,
    )  # fmt: skip
    text = cascade_tables.calibration(CascadeCalibration(0.4, {"intercept": 0.5}, 0.8, 0.1, calibration))
    for part in (
        "accept_at 0.4",
        "0.200 .. 0.400",
        "intercept",
        "0.800",
        "10.0% have a hard sign",
        "interrupted after 90",
    ):
        assert part in text
    assert "saved" not in text
