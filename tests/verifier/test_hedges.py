from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.verifier import hedges


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Paris is the capital of France.", 0),
        ("I'm not sure, but it might be Paris.", 2),
        ("I\u2019M NOT SURE.", 1),
        ("Ich bin mir nicht sicher.", 1),
        ("我不确定是不是巴黎", 1),
        ("It is unclear. It is unclear.", 2),
        ("A perhapsburg is no doubt.", 0),
        ("possibly", 1),
    ],
)
def test_stated_doubts_are_counted(text: str, count: int) -> None:
    assert hedges.count(text) == count


@given(st.text())
def test_any_text_can_be_counted(text: str) -> None:
    assert 0 <= hedges.count(text) <= len(text)
