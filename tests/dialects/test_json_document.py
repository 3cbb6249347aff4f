from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from extproc_router.dialects.json_document import read_object

DECODER = msgspec.json.Decoder(dict[str, Raw])


def test_what_nobody_asks_for_is_not_decoded() -> None:
    assert read_object(b'{"a":1e999}', DECODER) == {"a": Raw(b"1e999")}


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b'{"a\xc3":1}', b'{"a":"\xed\xa0\x80"}', b"\xff"])
def test_utf8_is_checked_where_msgspec_does_not_look(body: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        read_object(body, DECODER)


def test_syntax_is_checked_everywhere() -> None:
    with pytest.raises(msgspec.DecodeError):
        read_object(b'{"a":[01]}', DECODER)
