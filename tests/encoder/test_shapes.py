from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.encoder import shapes

# first upper, all upper, has a digit, all digits, marks, goes on, opens a line, after a blank
CASES = {
    ("Ann Lee", 0, 3): (1, 0, 0, 0, 0, 0, 1, 0),
    ("Ann LEE", 4, 7): (1, 1, 0, 0, 0, 0, 0, 1),
    ("a 4711", 2, 6): (0, 0, 1, 1, 0, 0, 0, 1),
    ("ab12", 0, 4): (0, 0, 1, 0, 0, 0, 1, 0),
    ("so.", 2, 3): (0, 0, 0, 0, 1, 0, 0, 0),
    ("dear\n  you", 7, 10): (0, 0, 0, 0, 0, 0, 1, 1),
    ("  I", 2, 3): (1, 1, 0, 0, 0, 0, 1, 1),
    ("Ünal €", 0, 4): (1, 0, 0, 0, 0, 0, 1, 0),
    ("Ünal €", 5, 6): (0, 0, 0, 0, 1, 0, 0, 1),
    ("ab", 1, 1): (0, 0, 0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize(("case", "expected"), CASES.items())
def test_what_a_token_looks_like(case: tuple[str, int, int], expected: tuple[int, ...]) -> None:
    text, start, end = case
    assert shapes.read(text, [(start, end)], [False]).tolist() == [list(expected)]


def test_a_token_that_goes_on_says_so() -> None:
    assert shapes.read("Anna", [(0, 3), (3, 4)], [False, True])[:, 5].tolist() == [0, 1]


@given(st.text(max_size=40), st.data())
def test_any_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    row = shapes.read(text, [(start, end)], [True])
    assert row.shape == (1, shapes.SIZE)
    assert row.dtype == np.float32
    assert set(np.unique(row)) <= {0, 1}
