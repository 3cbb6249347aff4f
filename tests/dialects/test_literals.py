from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.dialects.literals import offsets


@pytest.mark.parametrize(
    ("literal", "places", "found"),
    [
        ("abc", [0, 2, 3], [0, 2, 3]),
        ("", [0], [0]),
        ("éa", [1, 2], [2, 3]),
        (r"\u00e9a", [1, 2], [6, 7]),
        (r"\ud83d\ude00a", [0, 1, 2], [0, 12, 13]),
        (r"\uD83D\uDE00\n\"", [1, 2, 3], [12, 14, 16]),
        (r"a\\u0041", [1, 2, 3], [1, 3, 4]),
        ("😀\\/x", [1, 2, 3], [4, 6, 7]),
        ("a\\nb", [1, 1, 2, 2], [1, 1, 3, 3]),
    ],
)
def test_characters_are_found(literal: str, places: list[int], found: list[int]) -> None:
    assert offsets(literal.encode(), places) == found


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """A text, and the spelling of each of its characters."""
    text = draw(st.text(alphabet=st.sampled_from('aé😀"\\\n/\u2028u'), max_size=12))
    spellings = []
    for char in text:
        ways = [json.dumps(char)[1:-1], json.dumps(char, ensure_ascii=False)[1:-1]]
        ways += [f"\\u{ord(char):04X}"] if ord(char) < 0x10000 else [ways[0].upper().replace("U", "u")]
        spellings.append(draw(st.sampled_from(ways)).encode())
    return text, spellings


@given(spelled=spelled(), data=st.data())
def test_any_spelling(spelled: tuple[str, list[bytes]], data: st.DataObject) -> None:
    text, spellings = spelled
    assert json.loads(b'"' + b"".join(spellings) + b'"') == text
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    found = offsets(b"".join(spellings), places)
    assert found == [len(b"".join(spellings[:place])) for place in places]
