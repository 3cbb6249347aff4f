from __future__ import annotations

import pytest
from msgspec import Raw
from msgspec import json as msgspec_json

from extproc_router.dialects import find
from extproc_router.dialects.splice import find_model, locate
from extproc_router.errors import InvalidRequest


@pytest.mark.parametrize("value", [b"7", b"true", b"false", b"{}", b"[]", b'["a"]', b"1e999"])
def test_model_of_another_type_is_refused(value: bytes) -> None:
    dialect = find("/v1/completions")
    assert dialect is not None
    with pytest.raises(InvalidRequest) as caught:
        dialect.read(b'{"model":' + value + b"}")
    assert caught.value.param == "model"


def test_views_are_located() -> None:
    body = b' {"a": [1, {"b" : "x"}]}'
    outer = msgspec_json.decode(body, type=dict[str, Raw])["a"]
    assert locate(body, outer) == (7, 23)
    inner = msgspec_json.Decoder(list[Raw]).decode(outer)[1]
    assert body[slice(*locate(body, inner))] == b'{"b" : "x"}'
    innermost = msgspec_json.Decoder(dict[str, Raw]).decode(inner)["b"]
    assert locate(body, innermost) == (body.index(b'"x"'), body.index(b'"x"') + 3)


def test_a_view_of_other_bytes_is_never_spliced() -> None:
    other = msgspec_json.decode(b'{"model":"old"}', type=dict[str, Raw])["model"]
    with pytest.raises(AssertionError):
        find_model(b'{"model":"new"}', other)
