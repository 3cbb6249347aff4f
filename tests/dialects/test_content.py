from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from extproc_router.dialects.content import MAX_DEPTH, MAX_PIECES, MODALITIES, Content
from extproc_router.errors import InvalidRequest
from extproc_router.types import Modality, Turn


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def gathered(*parts: Any) -> tuple[str, set[Modality]]:
    content = Content()
    content.add([raw(part) for part in parts])
    content.end_turn("user")
    (turn,) = content.turns
    return turn.text, content.modalities


def nested(levels: int) -> Any:
    part: Any = "deep"
    for _ in range(levels):
        part = [{"type": "tool_result", "content": part}]
    return part


@pytest.mark.parametrize(("kind", "modality"), MODALITIES.items())
def test_every_modality_is_noted_by_type_and_by_member(kind: str, modality: Modality) -> None:
    assert gathered({"type": kind}) == ("", {modality})
    assert gathered({kind: {"url": "u"}}) == ("", {modality})


def test_the_type_counts_before_the_members() -> None:
    assert gathered({"type": "text", "text": "x", "image_url": "u"}) == ("x", set())


@pytest.mark.parametrize(
    ("spelled", "read"), [(b'{"a" : 1.50}', '{"a" : 1.50}'), (rb'{"\u0070ipe":"\n\"b"}', '{"pipe":"\n"b"}')]
)
def test_tool_use_is_name_and_input_as_spelled_but_for_escapes(spelled: bytes, read: str) -> None:
    content = Content()
    content.add([Raw(b'{"type":"tool_use","name":"f","input":' + spelled + b"}")])
    content.end_turn("assistant")
    assert content.turns == [Turn("assistant", f"f {read}")]


def test_where_a_search_result_is_from_is_text() -> None:
    part = {"type": "search_result", "source": "from here", "title": "t", "content": [{"type": "text", "text": "c"}]}
    assert gathered(part) == ("from here\nt\nc", set())


def test_text_may_be_the_value_of_an_object() -> None:
    assert gathered({"type": "text", "text": {"value": "x", "annotations": []}}) == ("x", set())


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("x", "x"),
        (None, ""),
        ([], ""),
        ({"a": {"b": "x", "n": 1}, "type": "json"}, "a\nb\nx\nn\njson"),
        ([{"stdout": "x", "outcome": {"type": "exit"}}, {"a": "y"}, "z"], "x\na\ny\nz"),
        ({"type": "computer_screenshot", "image_url": "u"}, ""),
        ({"image_url": "u"}, ""),
    ],
)
def test_what_a_tool_answered(output: Any, text: str) -> None:
    content = Content()
    content.answer(raw(output))
    content.end_turn("tool")
    assert content.turns == [Turn("tool", text)]


def test_what_is_declared_is_kept_as_it_is() -> None:
    content = Content()
    assert content.declared == b""
    content.declare(raw([1, "x"]), Raw(b""), Raw(b'{"a" : "b"}'))
    assert content.declared == b'[1, "x"]\n{"a" : "b"}'
    assert content.turns == []


@pytest.mark.parametrize(
    "source", [{"type": "url", "url": "u"}, {"type": "base64", "data": "x"}, {"data": "x"}, "https://x", None, 7, []]
)
def test_sources_without_text(source: Any) -> None:
    assert gathered({"type": "image", "source": source}) == ("", {Modality.IMAGE})


def test_order_is_the_clients() -> None:
    assert gathered("a", {"text": "b"}, {"content": ["c", {"content": "d"}]}, {"text": "e"})[0] == "a\nb\nc\nd\ne"


def test_silent_turns() -> None:
    content = Content()
    content.end_turn("user", even_if_silent=False)
    content.add("")
    content.end_turn("user", even_if_silent=False)
    content.end_turn("user")
    assert content.turns == [Turn("user", "")]


def test_depth_is_bounded() -> None:
    content = Content()
    content.add_raw(raw(nested(MAX_DEPTH)))
    content.end_turn("user")
    assert content.turns == [Turn("user", "deep")]
    with pytest.raises(InvalidRequest, match="nested more than 8 deep"):
        Content().add_raw(raw(nested(MAX_DEPTH + 2)))


def test_sources_count_into_the_depth() -> None:
    part: Any = "deep"
    for _ in range(MAX_DEPTH + 2):
        part = [{"type": "document", "source": {"type": "content", "content": part}}]
    with pytest.raises(InvalidRequest, match="nested more than 8 deep"):
        Content().add_raw(raw(part))


def test_pieces_are_bounded_over_the_whole_request() -> None:
    content = Content()
    content.count(MAX_PIECES - 1)
    content.add([raw("x")])
    with pytest.raises(InvalidRequest, match="more than 10000"):
        content.add([raw("x")])
