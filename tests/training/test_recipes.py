from __future__ import annotations

import pytest

from extproc_router.training.data import Split
from extproc_router.training.recipes import RECIPES, STRONG, WEAK, Recipe
from extproc_router.training.rows import Row


@pytest.mark.parametrize("recipe", RECIPES, ids=[recipe.name for recipe in RECIPES])
def test_calibration_is_shared_out(recipe: Recipe) -> None:
    assert sum(recipe.calibration.values()) == pytest.approx(1.0, abs=0.011)
    assert min([*recipe.calibration.values(), *recipe.weights.values()]) > 0


def test_what_is_not_named_counts_nothing() -> None:
    recipe = RECIPES[0]
    assert recipe.weight("unheard of") == recipe.share("unheard of") == 0.0
    assert recipe.weight("llmrouter/mbpp") == recipe.weights["llmrouter/"]


def label(name: str, row: Row) -> object:
    return next(recipe for recipe in RECIPES if recipe.name == name).label(row)


def test_labels_are_read_from_what_is_known() -> None:
    row = Row(text="x", source="half_a", split=Split.TRAIN, domain="law", outcomes={WEAK: 0.0, STRONG: 1.0})
    assert label("domain", row) == "law"
    assert label("difficulty", row) == (True, False)
    assert label("reasoning", row) is label("jailbreak", row) is None
    assert label("reasoning", Row(text="x", source="a", split=Split.TRAIN, reasoning=0.9)) is True


def test_other_pairs_stand_in_where_ours_was_not_asked() -> None:
    outcomes = {"router/mistral-7b-instruct-v0.3": 0.0, "router/llama-3.1-nemotron-51b-instruct": 1.0}
    assert label("difficulty", Row(text="x", source="llmrouter/gsm8k", split=Split.TRAIN, outcomes=outcomes)) == (
        True,
        False,
    )
    assert label("difficulty", Row(text="x", source="llmrouter/mbpp", split=Split.TRAIN, outcomes=outcomes)) is None
