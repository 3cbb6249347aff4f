from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.dialects.ambiguity import MAX_OBJECTS, ambiguity

TWICE = "ambiguous: a member is given twice"


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[],"messages":[]}',
        b'{"messages":[{"role":"user","content":"a","content":"b"}]}',
        b'{"Messages":[],"messages":[]}',
        b'{"\\u006dessages":[],"messages":[]}',
        b'{"a":{"b":[{"c":1,"d":2,"c":1}]}}',
    ],
)
def test_a_member_given_twice_is_found_wherever_it_is(body: bytes) -> None:
    assert ambiguity(body) == TWICE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
)


@given(JSON)
def test_others_are_not_ambiguous(value: object) -> None:
    assert ambiguity(json.dumps(value).encode()) == ""


def test_what_would_take_long_is_not_read_twice() -> None:
    assert ambiguity(b"[" + b"{}," * MAX_OBJECTS + b"{}]") == "in too many pieces"
    assert ambiguity(b"[" * 5000 + b"]" * 5000) == "too deep or too long to be read twice"
    assert ambiguity(b"[" + b"1" * 5000 + b"]") == "too deep or too long to be read twice"
