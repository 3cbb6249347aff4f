from __future__ import annotations

import math

import pytest
from msgspec import Raw

from extproc_router.answers import raw

VALUES = [b"", b'"a\\u0062"', b"[{}, 2]", b'{"a": 1}', b"null", b"true", b"-1e999"]


@pytest.mark.parametrize("value", VALUES)
def test_kinds_exclude_each_other(value: bytes) -> None:
    view = Raw(value)
    assert raw.is_array(view) == value.startswith(b"[")
    assert raw.is_object(view) == value.startswith(b"{")
    assert raw.is_present(view) == (value not in {b"", b"null"})
    assert raw.string(view) == ("ab" if value.startswith(b'"') else "")
    assert raw.number(view) == (-math.inf if value.startswith(b"-") else None)
    assert raw.items(view) == ([Raw(b"{}"), Raw(b"2")] if value.startswith(b"[") else [])
    assert raw.objects(view) == ([Raw(b"{}")] if value.startswith(b"[") else [])


def test_no_array_costs_more_than_its_bound() -> None:
    assert len(raw.objects(Raw(b"[" + b"{}," * raw.MAX_ITEMS + b"{}]"))) == raw.MAX_ITEMS
