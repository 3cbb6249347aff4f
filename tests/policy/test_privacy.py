from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.candidates import Candidate
from extproc_router.policy import privacy

TIERS = ("public", "internal", "restricted")


@pytest.mark.parametrize(
    ("header", "rank"),
    [
        (None, 0),
        ("public", 0),
        ("internal", 1),
        ("Restricted", 2),
        ("public, restricted", 2),
        ("restricted,public", 2),
        (" internal ", 1),
        ("restrictd", 2),  # a misspelt tier may have meant the highest
        ("", 2),
        ("public,", 2),
    ],
)
def test_the_highest_tier_that_is_named_counts(header: str | None, rank: int) -> None:
    assert privacy.tier_of(header, TIERS) == rank


@given(st.lists(st.sampled_from([*TIERS, "", "unknown"]), min_size=1), st.integers(0, 5))
def test_adding_a_header_never_lowers_a_tier(names: list[str], where: int) -> None:
    fewer = names[:where] + names[where + 1 :]
    whole = privacy.tier_of(",".join(names), TIERS)
    part = privacy.tier_of(",".join(fewer), TIERS) if fewer else privacy.tier_of(None, TIERS)
    assert whole >= part


@given(st.lists(st.integers(0, 2)), st.integers(0, 2))
def test_only_cleared_candidates_are_left_in_their_order(clearances: list[int], tier: int) -> None:
    candidates = [Candidate(str(i), "c", str(i), 0, 0, clearance) for i, clearance in enumerate(clearances)]
    left = privacy.cleared(candidates, tier)
    assert [c for c in candidates if c.clearance >= tier] == list(left)
