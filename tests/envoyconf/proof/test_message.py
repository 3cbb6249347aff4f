from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.envoyconf.proof import message

if TYPE_CHECKING:
    from tests.envoyconf.conftest import Read
    from tests.envoyconf.proof.conftest import Said

KNOWN = message.Known(frozenset({"a_b"}), frozenset({"fine"}), frozenset({"refused"}))


def test_both_spellings_are_one_field(said: Said) -> None:
    assert said({"clusterHeader": "x"})["cluster_header"].value == "x"
    assert said({"cluster_header": "x"})["cluster_header"].line == 1


def test_nulls_and_empty_lists_are_nothing(said: Said) -> None:
    assert said({"a": None, "b": [], "c": {}, "d": 0}).keys() == {"c", "d"}


def test_what_is_spelled_twice_or_is_no_text_is_a_field_that_nobody_knows(said: Said) -> None:
    twice = said({"aB": 1, "a_b": 2})
    assert [name for name, _ in message.strange(twice, KNOWN)] == ["a_b (unknown spelling)"]
    assert len(list(message.strange(said("1: x\non: y\n"), KNOWN))) == 2


def test_what_is_refused_is_as_strange_as_what_is_unknown(said: Said) -> None:
    given = said({"@type": "t", "aB": 1, "fine": 1, "refused": 1, "unheard_of": 1})
    assert [name for name, _ in message.strange(given, KNOWN)] == ["refused", "unheard_of"]


def test_a_map_keeps_its_keys(read: Read) -> None:
    assert [key for key, _ in message.entries(read({"aB": 1, "a_b": 2, "c": None}))] == ["aB", "a_b"]
    assert list(message.entries(None)) == []


def test_items_are_messages(said: Said) -> None:
    given = said({"a": [{"x": 1}, "junk", None, {"y": 2}]})
    assert [place.value for place in message.items(given["a"])] == [{"x": 1}, {"y": 2}]
    assert message.items(None) == []


def test_types_are_told_with_their_packages(said: Said) -> None:
    given = said({"a": {"@type": "type.googleapis.com/x.y.Z"}, "b": {}, "c": "text", "d": 1})
    assert (message.kind(given["a"]), message.kind(given["b"]), message.kind(None)) == ("x.y.Z", "", "")
    assert (message.text(given["c"]), message.text(given["d"]), message.text(None)) == ("text", "", "")


def test_every_string_is_found() -> None:
    assert list(message.strings({"a": ["b", {"c": 1}], "d": None})) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("json", "proto"), [("aB", "a_b"), ("http2ProtocolOptions", "http2_protocol_options"), ("a_b", "a_b"), ("x", "x")]
)
def test_json_names_are_spelled_as_in_the_proto(json: str, proto: str) -> None:
    assert message.snake(json) == proto
