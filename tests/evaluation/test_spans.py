from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import spans
from extproc_router.evaluation.spans import SpanRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = {"start": 0, "end": 3, "type": "PERSON", "score": 0.9}
AGE = {"start": 5, "end": 7, "type": "AGE"}


def test_by_hand() -> None:
    rows = [
        SpanRow(((0, 3, "PERSON"), (5, 7, "AGE")), ((0, 3, "PERSON"), (5, 7, "PERSON")), "web"),
        SpanRow(((1, 4, "PERSON"),), (), "web"),
        SpanRow((), ((0, 2, "AGE"),), "mail"),
        SpanRow((), (), "mail"),
    ]
    found = spans.evaluate(rows, bootstrap=50)
    assert (found.n, found.spans, found.found) == (4, 3, 3)
    assert found.precision.value == pytest.approx(1 / 3)
    assert found.recall.value == pytest.approx(1 / 3)
    assert found.f1.value == pytest.approx(1 / 3)
    assert found.blind_f1.value == pytest.approx(2 / 3)
    assert found.f1.interval is not None
    assert found.f1.interval[0] <= 1 / 3 <= found.f1.interval[1]
    assert (found.clean, found.alarms) == (2, 0.5)
    assert found.types["PERSON"] == spans.SpanSlice(2, 2, 0.5, 0.5, 0.5)
    assert found.types["AGE"] == spans.SpanSlice(1, 1, 0.0, 0.0, 0.0)
    assert found.sources["web"].f1 == pytest.approx(0.4)
    assert found.sources["mail"].recall is None


def test_nothing_to_find_has_no_f1() -> None:
    found = spans.evaluate([SpanRow((), (), "")] * 3, bootstrap=5)
    assert found.f1.value is None
    assert found.f1.interval is None
    assert found.alarms == 0.0
    assert found.sources == {}


def test_every_shape_of_answer(write: Callable[..., Path]) -> None:
    rows, faults = spans.read(
        write(
            {"spans": [NAME, AGE], "pii": [AGE], "source": "a"},
            {"spans": [], "heads": {"pii": [NAME]}},
            {"spans": [NAME], "text": "Ann"},
        ),
        "pii",
        encode=lambda text: [(0, len(text), "PERSON")],
    )
    assert faults.count == 0
    assert rows == [
        SpanRow(((0, 3, "PERSON"), (5, 7, "AGE")), ((5, 7, "AGE"),), "a"),
        SpanRow((), ((0, 3, "PERSON"),), ""),
        SpanRow(((0, 3, "PERSON"),), ((0, 3, "PERSON"),), ""),
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"pii": []},
        {"spans": [], "text": "no encoder here"},
        {"spans": "x", "pii": []},
        {"spans": ["x"], "pii": []},
        {"spans": [{"start": 3, "end": 3, "type": "A"}], "pii": []},
        {"spans": [{"start": True, "end": 3, "type": "A"}], "pii": []},
        {"spans": [{"start": 0, "end": 3}], "pii": []},
        "[",
    ],
)
def test_bad_rows_are_left_out_and_refused_where_strict(write: Callable[..., Path], row: object) -> None:
    path = write(row, {"spans": [], "pii": []})
    rows, faults = spans.read(path, "pii")
    assert (len(rows), faults.count) == (1, 1)
    with pytest.raises(StartupError, match=r"rows\.jsonl:1"):
        spans.read(path, "pii", strict=True)
    with pytest.raises(StartupError, match="no usable row"):
        spans.read(write(row), "pii")
