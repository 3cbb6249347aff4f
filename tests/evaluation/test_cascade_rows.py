from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import cascade_rows
from extproc_router.telemetry import decision_log
from extproc_router.verifier.judged import Judged, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROW = {"features": {"mean_logprob": -0.2}, "weak": 1, "strong": 0.5, "cost_weak": 1, "cost_strong": 9}


def test_a_line_of_the_decision_log_lacks_the_scores_alone(write: Callable[..., Path]) -> None:
    found = Judged("d", "r", Outcome.ESCALATED, 0.1, ("empty",), {"mean_logprob": -0.9, "length": 4.5})
    record = {**json.loads(decision_log.cascade_line(found, 0.0)), "weak": 0, "strong": 1}
    judged, faults = cascade_rows.read(write(ROW, record))
    assert faults.count == 0
    assert judged.weak.tolist() == [1.0, 0.0]
    assert judged.strong.tolist() == [0.5, 1.0]
    assert judged.hard.tolist() == [False, True]
    assert judged.costs is None
    columns = dict(zip(cascade_rows.COLUMNS, judged.terms.T.tolist(), strict=True))
    assert columns["mean_logprob"] == pytest.approx([0.2, -0.5])
    assert columns["no_length"] == [1.0, 0.0]
    assert columns["no_difficulty"] == [1.0, 1.0]


def test_costs_are_kept_where_all_are_known(write: Callable[..., Path]) -> None:
    judged, _ = cascade_rows.read(write(ROW, ROW))
    assert judged.costs is not None
    assert judged.costs.tolist() == [[1.0, 9.0], [1.0, 9.0]]


def test_a_doubt_by_numbers_is_no_hard_sign(write: Callable[..., Path]) -> None:
    judged, _ = cascade_rows.read(write({**ROW, "signs": ["confidence"]}, {**ROW, "signs": ["refusal"]}))
    assert judged.hard.tolist() == [False, True]


def test_equal_prompts_are_one_group(write: Callable[..., Path]) -> None:
    rows = [{**ROW, "prompt": "a"}, {**ROW, "prompt": "b"}, {**ROW, "prompt": "a"}, ROW, ROW]
    groups = cascade_rows.read(write(*rows))[0].groups.tolist()
    assert groups[0] == groups[2]
    assert len(set(groups)) == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"features": None}, "features"),
        ({"features": {"mean_logprobs": 0}}, "unknown feature"),
        ({"features": {"length": 1e300}}, "beyond"),
        ({"weak": 2}, r"\[0, 1\]"),
        ({"cost_weak": -1}, "below 0"),
        ({"strong": None}, "strong"),
    ],
)
def test_bad_rows_are_named(write: Callable[..., Path], change: dict[str, object], why: str) -> None:
    path = write(ROW, {**ROW, **change})
    judged, faults = cascade_rows.read(path)
    assert (len(judged), faults.count) == (1, 1)
    with pytest.raises(StartupError, match=why):
        cascade_rows.read(path, strict=True)


def test_a_file_without_rows_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(StartupError, match="no usable row"):
        cascade_rows.read(write("{"))
