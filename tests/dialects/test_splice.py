from __future__ import annotations

import pytest
from msgspec import Raw
from msgspec import json as msgspec_json

from extproc_router.dialects import find
from extproc_router.dialects.splice import find_model
from extproc_router.errors import InvalidRequest


@pytest.mark.parametrize("value", [b"7", b"true", b"false", b"{}", b"[]", b'["a"]', b"1e999"])
def test_model_of_another_type_is_refused(value: bytes) -> None:
    dialect = find("/v1/completions")
    assert dialect is not None
    with pytest.raises(InvalidRequest) as caught:
        dialect.read(b'{"model":' + value + b"}")
    assert caught.value.param == "model"


def test_a_view_of_other_bytes_is_never_spliced() -> None:
    other = msgspec_json.decode(b'{"model":"old"}', type=dict[str, Raw])["model"]
    with pytest.raises(AssertionError):
        find_model(b'{"model":"new"}', other)
