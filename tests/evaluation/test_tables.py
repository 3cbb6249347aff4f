from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from extproc_router.evaluation import calibrate, drift, heads, many, routing, spans, tables
from extproc_router.evaluation.head_rows import Answers
from extproc_router.evaluation.histograms import Histograms

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.outcomes import Outcomes


def test_columns_line_up() -> None:
    assert tables.table(["a", "bb"], [["xyz", "1"]]) == "a    bb\n---  --\nxyz   1"
    assert tables.table(["a", "b"], [["x", "yy"]], left=(0, 1)).splitlines()[0] == "a  b"


def test_numbers_and_gaps() -> None:
    assert tables.number(-0.00001, 3) == "0.000"
    assert tables.number(None, 3) == tables.interval(None, 3) == "-"
    assert tables.interval((0.5, 1), 1) == "0.5 .. 1.0"


def test_a_pair_shows_every_strategy_costs_and_warnings(make: Callable[..., Outcomes]) -> None:
    rows = make([0, 0, 1, 1], [1, 1, 1, 0], costs=np.tile([1.0, 5.0], (4, 1)))
    text = tables.routing(routing.evaluate(rows, {}, strong="strong", weak="weak", bootstrap=20))
    for expected in ("random", "length", "group-mean", "oracle", "always-weak", "saved", "warning: only 4 rows"):
        assert expected in text


def test_many_models(make: Callable[..., Outcomes]) -> None:
    text = tables.many(many.evaluate(make([0, 0, 1, 1], [1, 1, 1, 0]), {}, bootstrap=0))
    assert "4 rows, 2 models" in text
    assert "% strong" in text


def test_heads_show_mistakes() -> None:
    answers = Answers(
        ("a", "b"),
        np.array([0, 1]),
        np.array([[0.9, 0.1], [0.8, 0.2]]),
        ("x", "y"),
        np.array([1, -1]),
        interrupted=True,
    )
    text = tables.heads(heads.evaluate(answers, bootstrap=0))
    assert "b   a               1" in text
    assert "warning: interrupted" in text


def test_calibration_shows_what_is_known() -> None:
    sample = calibrate.Sample(np.arange(500.0), None, None)
    text = tables.calibration(calibrate.calibrate(sample, calibrate.Goal.STRONG_SHARE, 0.5, bootstrap=100))
    assert text.startswith("threshold 249.5 ")
    assert "share of strong calls" in text
    assert "quality" not in text


def test_drift_gives_a_verdict() -> None:
    before, after = Histograms(rows=100), Histograms(rows=100)
    for _ in range(100):
        before.add_label("domain label", "a")
        after.add_label("domain label", "b")
    text = tables.drift(drift.compare(before, after))
    assert "ALARM" in text
    assert "measure the frontier again" in text
    assert "a 100.0% -> 0.0%" in text


def test_a_flag_shows_what_its_threshold_does() -> None:
    probs = np.array([[0.1, 0.9], [0.9, 0.1]])
    flags = Answers(("0", "1"), np.array([1, 0]), probs, ("web", ""), np.full(2, -1), interrupted=False)
    assert "shipped" not in tables.heads(heads.evaluate(flags, bootstrap=0))
    known = structs.replace(flags, raised=np.array([True, False]))
    text = tables.heads(heads.evaluate(known, bootstrap=0))
    assert "at the shipped threshold" in text
    assert "1.0000" in text


def test_spans_by_type_and_source() -> None:
    row = spans.SpanRow(((0, 3, "PERSON"),), ((0, 3, "PERSON"),), "web")
    text = tables.spans(spans.evaluate([row, spans.SpanRow((), (), "web")], bootstrap=10))
    for expected in ("F1 whatever the type", "PERSON", "web", "alarms in 1 rows", "1 spans, 1 found"):
        assert expected in text
