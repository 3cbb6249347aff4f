from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.encoder import spans
from extproc_router.encoder.heads import Page
from extproc_router.encoder.spans import APART, NEXT, SAME_WORD

TAGS = 5  # O, B-X, I-X, B-Y, I-Y


def tables(tokens: int) -> st.SearchStrategy[list[list[float]]]:
    return st.lists(st.lists(st.floats(0.01, 1), min_size=TAGS, max_size=TAGS), min_size=tokens, max_size=tokens)


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(tables(n), st.lists(st.integers(0, 2), min_size=n, max_size=n))))
def test_the_path_is_the_best_of_all_valid_ones(case: tuple[list[list[float]], list[int]]) -> None:
    table, links = np.array(case[0]), [APART, *case[1][1:]]
    found = spans.decode(table, links)
    assert spans._is_valid(found, links)

    def score(path: tuple[int, ...] | list[int]) -> float:
        return float(sum(np.log(table[place, tag]) for place, tag in enumerate(path)))

    best = max(score(path) for path in product(range(TAGS), repeat=len(table)) if spans._is_valid(path, links))
    assert score(found) == pytest.approx(best)


@pytest.mark.parametrize(
    ("path", "links", "valid"),
    [
        ([0, 1, 2, 0], [APART, NEXT, NEXT, NEXT], True),
        ([0, 2], [APART, NEXT], False),
        ([2], [APART], False),
        ([1, 4], [APART, NEXT], False),
        ([1, 2, 4], [APART, NEXT, NEXT], False),
        ([1, 3, 4], [APART, NEXT, NEXT], True),
        ([1, 2], [APART, APART], False),
        ([1, 1], [APART, APART], True),
        ([1, 1], [APART, SAME_WORD], False),
        ([1, 0], [APART, SAME_WORD], False),
        ([0, 1], [APART, SAME_WORD], False),
        ([0, 0], [APART, SAME_WORD], True),
        ([1, 2], [APART, SAME_WORD], True),
    ],
)
def test_which_paths_mean_something(path: list[int], links: list[int], valid: bool) -> None:
    assert spans._is_valid(path, links) == valid


def test_no_tokens() -> None:
    assert spans.decode(np.zeros((0, TAGS)), []) == []


def test_runs_of_tags() -> None:
    assert spans.runs([0, 1, 2, 2, 0, 3, 1, 0]) == [(1, 3, 0), (5, 5, 1), (6, 6, 0)]


def test_how_tokens_stand_to_each_other() -> None:
    text = "Anna  Lee" + "\n" * 300 + "x left out y"
    offsets = [(0, 3), (3, 4), (6, 9), (309, 310), (320, 321)]
    page = Page(text, offsets, lambda: [False, True, False, False, True])
    assert spans.links(page) == [APART, SAME_WORD, NEXT, APART, APART]
