from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import head_rows
from extproc_router.evaluation.head_rows import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_every_shape_of_answer(write: Callable[..., Path]) -> None:
    answers, faults = head_rows.read(
        write(
            {"label": "a", "probs": {"a": 0.75, "b": 0.25}, "source": "s", "length": 10},
            {"label": "b", "heads": {"mine": {"probs": {"b": 1, "a": 0}}}},
            {"label": "a", "text": "read me"},
        ),
        "mine",
        encode=lambda text: Answer({"a": 0.5, "b": 0.5} if text == "read me" else {}),
    )
    assert faults.count == 0
    assert answers.labels == ("a", "b")
    assert answers.truth.tolist() == [0, 1, 0]
    assert answers.probs.tolist() == [[0.75, 0.25], [0, 1], [0.5, 0.5]]
    assert answers.sources == ("s", "", "")
    assert answers.lengths.tolist() == [10, -1, 7]


def test_scores_are_yes_against_no(write: Callable[..., Path]) -> None:
    answers, _ = head_rows.read(write({"label": True, "score": 0.75}, {"label": 0, "score": 0.5}), "x")
    assert answers.labels == (head_rows.NO, head_rows.YES)
    assert answers.truth.tolist() == [1, 0]
    assert answers.probs.tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_flags_as_score_writes_them(write: Callable[..., Path]) -> None:
    rows = (
        {"label": 1, "reasoning": {"p": 0.75, "flag": True}},
        {"label": 0, "heads": {"reasoning": {"p": 0.25, "flag": False}}},
        {"label": 1, "text": "read me"},
    )
    answers, faults = head_rows.read(write(*rows), "reasoning", encode=lambda _: head_rows.of_flag(0.5, raised=True))
    assert faults.count == 0
    assert answers.probs[:, answers.labels.index(head_rows.YES)].tolist() == [0.75, 0.25, 0.5]
    assert answers.raised is not None
    assert answers.raised.tolist() == [True, False, True]
    mixed, _ = head_rows.read(write(*rows[:2], {"label": 1, "score": 0.5}), "reasoning")
    assert mixed.raised is None


@pytest.mark.parametrize(
    "row",
    [
        {"label": 1, "x": {"p": 2}},
        {"label": 1, "x": {"p": "1", "flag": True}},
        {"probs": {"a": 1, "b": 0}},
        {"label": "c", "probs": {"a": 1, "b": 0}},
        {"label": "a", "probs": {"a": 1}},
        {"label": "a", "probs": {"a": 1.5, "b": 0}},
        {"label": "a", "probs": {"a": "1", "b": 0}},
        {"label": "a", "probs": {"a": 0, "b": 0}},
        {"label": "1", "score": True},
        {"label": "a", "text": "no encoder here"},
        {"label": ["a"], "probs": {"a": 1, "b": 0}},
        "[",
    ],
)
def test_bad_rows_are_left_out_and_refused_where_strict(write: Callable[..., Path], row: object) -> None:
    path = write(row, {"label": "a", "probs": {"a": 1, "b": 0}})
    answers, faults = head_rows.read(path, "x")
    assert (len(answers), faults.count) == (1, 1)
    with pytest.raises(StartupError, match=r"rows\.jsonl:1"):
        head_rows.read(path, "x", strict=True)


def test_nothing_usable_is_an_error(write: Callable[..., Path]) -> None:
    with pytest.raises(StartupError, match="no usable row"):
        head_rows.read(write({}), "x")


def test_interruption_keeps_what_was_read(write: Callable[..., Path]) -> None:
    replies = iter([Answer({"a": 1.0, "b": 0.0})])

    def encode(_: str) -> Answer:
        for reply in replies:
            return reply
        raise KeyboardInterrupt

    answers, _ = head_rows.read(write(*[{"label": "a", "text": "t"}] * 3), "x", encode=encode)
    assert answers.interrupted
    assert len(answers) == 1
