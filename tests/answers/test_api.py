from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.answers.api import attempt
from extproc_router.answers.gathered import Gathered


def decoded(document: bytes, _: Gathered) -> dict[str, str]:
    return msgspec.json.decode(document, type=dict[str, str])


@pytest.mark.parametrize(
    "document", [b"", b"[]", b'{"a"', b'{"a": "\xff"}', b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a": "\\x"}']
)
def test_what_nobody_can_read(document: bytes) -> None:
    assert attempt(decoded, document, Gathered()) is None


def test_half_pairs_of_surrogates_are_replaced() -> None:
    document = rb'{"a": "\ud83d", "b": "\ude00\ud83d\ude00\\ud83d\u0041"}'
    version, read = attempt(decoded, document, Gathered()) or (b"", {})
    assert read == {"a": "\ufffd", "b": "\ufffd😀\\ud83dA"}
    assert len(version) == len(document)


@given(st.text(st.characters()))
def test_any_string_of_python_can_be_read(text: str) -> None:
    document = json.dumps({"a": text}).encode()
    version, read = attempt(decoded, document, Gathered()) or (b"", {})
    assert len(version) == len(document)
    assert read["a"] == json.loads(document)["a"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
