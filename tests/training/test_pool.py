from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.training import pool
from extproc_router.training.data import Split, key
from extproc_router.training.rows import LABELS, SPAN_TYPES

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.training.rows import Row


@pytest.fixture
def rows(pool_directory: Path) -> list[Row]:
    return pool.collect(pool_directory, 0)


def of(rows: list[Row], source: str) -> list[Row]:
    return [row for row in rows if row.source == source]


def test_no_question_is_on_two_sides(rows: list[Row]) -> None:
    sides: dict[str, set[bool]] = {}
    for row in rows:
        sides.setdefault(key(row.text.split("\nA. ")[0]), set()).add(row.split is Split.TRAIN)
    assert {question for question, found in sides.items() if len(found) > 1} == set()


def test_every_label_is_one_we_know(rows: list[Row]) -> None:
    assert {row.domain for row in rows if row.domain} <= set(LABELS)
    assert {span.type for row in rows for span in row.spans or ()} <= set(SPAN_TYPES)
    assert all(row.text[span.start : span.end].strip() for row in rows for span in row.spans or ())


def test_outcomes_carry_subject_and_domain(rows: list[Row]) -> None:
    row = of(rows, "half_a")[0]
    assert row.topic == f"advanced {row.domain}"
    assert set(row.outcomes or {}) == {"mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"}
    assert not row.text.endswith("Answer:")
    assert {row.reasoning for row in of(rows, "mmlu_pro")} == {0.9, None}


def test_a_model_that_never_answered_in_form_says_nothing(rows: list[Row]) -> None:
    row = of(rows, "llmrouter/gsm8k")[0]
    assert "router/silent" not in (row.outcomes or {})
    assert (row.domain, row.reasoning) == ("math", 1.0)
    assert {row.reasoning for row in of(rows, "llmrouter/trivia_qa")} == {0.0}


def test_plain_requests_are_no_attacks_and_placeholders_no_cue(rows: list[Row]) -> None:
    attacks = of(rows, "inthewild")
    assert len(attacks) == 40
    assert not any("INSERT" in row.text for row in attacks)
    assert "What is the capital of Brazil?" not in {row.text for row in rows}


def test_utterances_are_free_of_personal_data_and_need_no_steps(rows: list[Row]) -> None:
    assert all(row.spans == () and row.reasoning == 0.0 for row in of(rows, "clinc150"))
    assert {row.domain for row in of(rows, "clinc150")} == {"other", None}


def test_arena_is_never_trained_on(rows: list[Row]) -> None:
    assert Split.TRAIN not in {row.split for row in of(rows, "arena")}


def test_missing_data_is_named(pool_directory: Path) -> None:
    (pool_directory / pool.PRESIDIO).unlink()
    with pytest.raises(StartupError, match="presidio"):
        pool.collect(pool_directory, 0)
