from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import outcomes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.evaluation.outcomes import Outcomes


def test_columns_are_as_written(write: Callable[..., Path]) -> None:
    rows, faults = outcomes.read(
        write(
            {"prompt": "one", "scores": {"a": 1}, "group": "g", "mine": 3},
            {"prompt": "four", "scores": {"b": 0.5, "a": 0}, "costs": {"b": 2}, "mine": 4},
        ),
        columns=("mine",),
        keep_texts=True,
    )
    assert faults.count == 0
    assert rows.models == ("a", "b")
    np.testing.assert_array_equal(rows.quality, [[1, np.nan], [0, 0.5]])
    assert rows.costs is not None
    np.testing.assert_array_equal(rows.costs, [[np.nan, np.nan], [np.nan, 2]])
    assert rows.lengths.tolist() == [3, 4]
    assert [rows.group_names[code] for code in rows.groups] == ["g", ""]
    assert rows.texts == ("one", "four")
    assert rows.column("mine").tolist() == [3, 4]


def test_bad_rows_are_left_out_by_line_or_refused(write: Callable[..., Path]) -> None:
    path = write(
        "{", {"prompt": "p"}, {"prompt": "p", "scores": {}}, {"prompt": "p", "scores": {"a": 1}}, '{"a": "\\ud800"}'
    )
    rows, faults = outcomes.read(path)
    assert len(rows) == 1
    assert [fault.line for fault in faults.first] == [1, 2, 3, 5]
    with pytest.raises(StartupError, match=r"rows\.jsonl:1"):
        outcomes.read(path, strict=True)


def test_nothing_usable_is_an_error(write: Callable[..., Path]) -> None:
    with pytest.raises(StartupError, match="no usable row"):
        outcomes.read(write({"prompt": "p"}))


def test_scores_may_be_left_out_where_they_are_not_needed(write: Callable[..., Path]) -> None:
    rows, faults = outcomes.read(
        write({"prompt": "p", "s": 1}, {"prompt": "q", "s": 2}), columns=("s",), need_scores=False
    )
    assert (len(rows), rows.models, faults.count) == (2, (), 0)


def test_a_pair_has_the_rows_of_both(make: Callable[..., Outcomes]) -> None:
    rows = make([1, np.nan, 0], [0, 1, 1])
    pair = outcomes.pair(rows, weak="weak", strong="strong")
    assert pair.weak.tolist() == [1, 0]
    assert pair.strong.tolist() == [0, 1]
    assert pair.outcomes.lengths.tolist() == [0, 2]
    assert pair.costs is None


def test_prices_stand_for_every_row(make: Callable[..., Outcomes]) -> None:
    rows = outcomes.price(make([1, 0], [0, 1]), {"weak": 1, "strong": 3}, ("weak", "strong"))
    pair = outcomes.pair(rows, weak="strong", strong="weak")
    assert pair.costs is not None
    assert pair.costs.tolist() == [[3, 1], [3, 1]]
    with pytest.raises(StartupError, match=r"no price for strong.*there are prices for"):
        outcomes.price(rows, {"weak": 1}, ("weak", "strong"))
    some = outcomes.price(rows, {"weak": 1}, ("weak",))
    assert some.costs is not None
    assert some.costs[0, 0] == 1
    assert np.isnan(some.costs[0, 1])


def test_an_unknown_group_field_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(StartupError, match="no known group"):
        outcomes.read(write({"prompt": "p", "scores": {"a": 1}}), group_field="colour")


@pytest.mark.parametrize(("weak", "strong"), [("weak", "weak"), ("weak", "other")])
def test_an_impossible_pair_is_refused(make: Callable[..., Outcomes], weak: str, strong: str) -> None:
    with pytest.raises(StartupError):
        outcomes.pair(make([1], [1]), weak=weak, strong=strong)


def test_no_common_row_is_refused(make: Callable[..., Outcomes]) -> None:
    with pytest.raises(StartupError, match="no row has scores"):
        outcomes.pair(make([1, np.nan], [np.nan, 1]), weak="weak", strong="strong")


def test_a_column_with_holes_is_refused(make: Callable[..., Outcomes]) -> None:
    rows = make([1, 1], [1, 1], columns={"c": np.array([1.0, np.nan])})
    for name in ("c", "d"):
        with pytest.raises(StartupError, match="rows have no number"):
            rows.column(name)


def test_a_model_spelt_nearly_right_is_suggested(make: Callable[..., Outcomes]) -> None:
    with pytest.raises(StartupError, match=r"no model strnog \(did you mean 'strong'\?\); it has weak, strong"):
        make([0], [1]).select(("weak", "strnog"))
