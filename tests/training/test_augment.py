from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.training import augment

QUESTION = "What's the capital of France, and how many people live there?"


@given(st.text(min_size=1), st.integers(0, 1000))
def test_noise_never_fails_and_never_blanks_a_text(text: str, seed: int) -> None:
    noisy = augment.noise(text, Random(seed))
    assert noisy.strip() or not text.strip()


def test_the_seed_decides() -> None:
    first, again, other = (augment.noise(QUESTION, Random(seed)) for seed in (3, 3, 4))
    assert first == again != other


def test_typos_touch_few_letters() -> None:
    for seed in range(50):
        typed = augment.typos(QUESTION, Random(seed))
        assert abs(len(typed) - len(QUESTION)) <= 3
        shared = sum(word in typed.split() for word in QUESTION.split())
        assert shared >= len(QUESTION.split()) - 5


@pytest.mark.parametrize("change", [augment.lower, augment.shout, augment.unmarked, augment.chat])
def test_every_kind_keeps_the_words(change: object) -> None:
    assert callable(change)
    for seed in range(20):
        changed = str(change(QUESTION, Random(seed))).lower()
        assert "capital of france" in changed


def test_unmarked_has_no_marks() -> None:
    assert augment.unmarked(QUESTION, Random(0)) == "Whats the capital of France and how many people live there"


def test_typos_in_a_text_without_letters_change_nothing() -> None:
    assert augment.typos("12 + 34", Random(0)) == "12 + 34"
