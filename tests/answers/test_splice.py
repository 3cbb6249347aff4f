from __future__ import annotations

import msgspec
from msgspec import Raw

from extproc_router.answers.splice import splice
from extproc_router.json_views import locate


def test_views_are_located_and_give_way() -> None:
    body = b' {"a": [1, {"b" : "x"}]}'
    outer = msgspec.json.decode(body, type=dict[str, Raw])["a"]
    assert locate(body, outer) == (7, 23)
    inner = msgspec.json.Decoder(dict[str, Raw]).decode(msgspec.json.Decoder(list[Raw]).decode(outer)[1])["b"]
    assert splice(body, [locate(body, inner)], b"null") == b' {"a": [1, {"b" : null}]}'


def test_spans_come_in_any_order() -> None:
    assert splice(b"0123456789", [(7, 8), (1, 3)], b"-") == b"0-3456-89"


def test_without_spans_it_is_the_same_object() -> None:
    body = b"{}"
    assert splice(body, [], b"null") is body
