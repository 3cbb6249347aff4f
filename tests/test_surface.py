from __future__ import annotations

from math import isfinite, log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router import surface


def test_counts_what_it_says() -> None:
    assert surface.read("Add 12\nand 7!") == pytest.approx((log1p(13), log1p(4), log1p(1), log1p(3), 1 / 13))


@given(st.text())
def test_every_text_has_finite_features(text: str) -> None:
    values = surface.read(text)
    assert len(values) == surface.SIZE
    assert all(isfinite(value) and value >= 0 for value in values)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_fast_way_counts_the_same(text: str) -> None:
    assert surface._ascii_counts(text) == surface._counts(text)


def test_only_the_length_looks_beyond_the_cut() -> None:
    short, long = surface.read("a" * 20_000), surface.read("a" * 20_000 + "1 2 3\n!" * 10)
    assert long[0] > short[0]
    assert long[1:] == short[1:]
