from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc_router import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"null", ""),
        (b'"Ann"\n["Bob", 7, ""]', "Ann\nBob"),
        (b'{"type":"function","function":{"name":"f","description":"Calls Ann"}}', "f\nCalls Ann"),
        (b'{"type":"object","properties":{"city":{"type":"string","enum":["Turin"]}}}', "city\nTurin"),
        (b'["\\u0070ipe \\"bomb\\"\\n", "\\ud83d\\ude00\\u00e9"]', 'pipe "bomb"\n\n\U0001f600é'),
        ('["é"]'.encode(), "é"),
        (b'["\\ud800", "\\udc00"]', "\ufffd\n\ufffd"),
    ],
)
def test_strings(raw: bytes, text: str) -> None:
    assert json_text.strings(raw) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("", ""),
        (r"C:\u0070", r"C:\u0070"),
        (r'{"a" : 1.50}', r'{"a" : 1.50}'),
        (r'{"a" : "\u0070ipe \"b\"", "n":1.50}', '{"a" : "pipe "b"", "n":1.50}'),
        ('[\n"\\n"]', '[\n"\n"]'),
        (r'{"a":"\ud83d\ude00\ud800"}', '{"a":"\U0001f600\ufffd"}'),
        (r'{"a":"\u0070', r'{"a":"\u0070'),
        (r'{"a":"\u00"}', r'{"a":"\u00"}'),
    ],
)
def test_unescaped(text: str, plain: str) -> None:
    assert json_text.unescaped(text) == plain


def said(value: object) -> list[str]:
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in (key, *said(inner))]
    if isinstance(value, list):
        return [each for inner in value for each in said(inner)]
    return [value] if isinstance(value, str) else []


@settings(deadline=None, derandomize=True, database=None)
@given(VALUES, st.booleans())
def test_nothing_is_lost(value: object, ascii_only: bool) -> None:
    spelled = json.dumps(value, ensure_ascii=ascii_only)
    words = [word for word in said(value) if word and word.encode() not in json_text._VOCABULARY]
    assert json_text.strings(spelled.encode()) == "\n".join(words)
    assert all(word in json_text.unescaped(spelled) for word in words if isinstance(value, dict | list))


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(alphabet=st.sampled_from('{}[]":,\\u0041dn\n ')))
def test_what_is_no_json_does_no_harm(text: str) -> None:
    json_text.strings(text.encode())
    json_text.unescaped("[" + text)
