from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from extproc_router.dialects import apply, find
from extproc_router.dialects.editor import Editor
from extproc_router.json_views import ABSENT

if TYPE_CHECKING:
    from extproc_router.dialects import Dialect
    from extproc_router.types import Request

DIALECT = find("/v1/completions")


def read(body: bytes) -> Request:
    assert DIALECT is not None
    return DIALECT.read(body)


def patch(body: bytes, model: str = "new") -> bytes:
    editor = Editor(body)
    editor.model(read(body), model)
    patched = apply(body, editor.edits)
    assert editor.changes == ([] if patched is body else ["model"])
    return patched


def view(body: bytes, name: str) -> Raw:
    return msgspec.json.decode(body, type=dict[str, Raw])[name]


def pairs(body: bytes) -> list[tuple[str, Any]]:
    """The members in order, duplicates included, numbers as they are spelled."""
    members: list[tuple[str, Any]] = json.loads(
        body, object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str
    )
    return members


@pytest.mark.parametrize(
    ("body", "patched"),
    [
        (b'{"model":"old"}', b'{"model":"new"}'),
        (b'{ "model" :\t"old" , "n": 1.0 }', b'{ "model" :\t"new" , "n": 1.0 }'),
        (b'{"m\\u006fdel":"\\u006fld"}', b'{"m\\u006fdel":"new"}'),
        (b'{"a":1,"model":null}', b'{"a":1,"model":"new"}'),
        (b'{"model":""}', b'{"model":"new"}'),
        (b"{}", b'{"model":"new"}'),
        (b" {\r\n} ", b' {"model":"new"\r\n} '),
        (b'\n{ "a":1}', b'\n{"model":"new", "a":1}'),
        (b'{"model":"first","model":"last"}', b'{"model":"first","model":"new"}'),
        (b'{"model":7,"model":"last"}', b'{"model":7,"model":"new"}'),
        (b'{"user":"\\"model\\":\\"old\\"","model":"old"}', b'{"user":"\\"model\\":\\"old\\"","model":"new"}'),
        (b'{"x":{"model":"old"},"y":[{"model":"old"}]}', b'{"model":"new","x":{"model":"old"},"y":[{"model":"old"}]}'),
        (b'{"prompt":"old","model":"old"}', b'{"prompt":"old","model":"new"}'),
        (b'{"MODEL":"old"}', b'{"model":"new","MODEL":"old"}'),
    ],
)
def test_only_the_model_changes(body: bytes, patched: bytes) -> None:
    assert patch(body) == patched


@pytest.mark.parametrize("body", [b'{"model":"new"}', b'{"model": "\\u006eew" }', b'{"model":"old","model":"new"}'])
def test_nothing_to_change_gives_the_same_object(body: bytes) -> None:
    assert patch(body) is body


def test_null_is_not_the_empty_name() -> None:
    assert patch(b'{"model":null}', "") == b'{"model":""}'


@pytest.mark.parametrize("model", ['qu"ote', "back\\slash", "Zürich", "😀", "line\nbreak", "\x00", "org/model:v1"])
def test_the_new_name_is_escaped_ascii(model: str) -> None:
    patched = patch(b'{"model":"old"}', model)
    assert patched.isascii()
    assert json.loads(patched) == {"model": model}


def test_two_megabytes() -> None:
    prompt = json.dumps("é" * 1_000_000, ensure_ascii=False).encode()
    for body in (b'{"prompt":' + prompt + b',"model":"old"}', b'{"model":"old","prompt":' + prompt + b"}"):
        assert patch(body) == body.replace(b'"old"', b'"new"')


@pytest.mark.parametrize(
    ("value", "new", "changes"),
    [
        (b"1", 2, True),
        (b"2", 2, False),
        (b"null", 2, True),
        (b"true", True, False),
        (b"1", True, True),
        (b'"l\\u006fw"', "low", False),
        (b'"low"', "high", True),
        (b'"2"', 2, True),
        (b'"true"', True, True),
    ],
)
def test_a_member_gets_a_value_unless_it_has_it(value: bytes, new: Any, changes: bool) -> None:
    body = b'{"a":{"k": ' + value + b" }}"
    editor = Editor(body)
    inner = view(body, "a")
    assert editor.put(inner, "k", _inner(inner, "k"), new) is changes
    assert json.loads(apply(body, editor.edits)) == {"a": {"k": new}}


def _inner(outer: Raw, name: str) -> Raw:
    return msgspec.json.Decoder(dict[str, Raw]).decode(outer)[name]


def test_absent_members_come_first_and_in_order() -> None:
    body = b' {"a":{},"b":1}'
    editor = Editor(body)
    editor.put(None, "x", ABSENT, {"deep": {"er": True}})
    editor.put(view(body, "a"), "y", ABSENT, "é")
    editor.put(None, "z", ABSENT, 1)
    assert apply(body, editor.edits) == b' {"x":{"deep":{"er":true}},"z":1,"a":{"y":"\\u00e9"},"b":1}'


@pytest.mark.parametrize(
    ("text", "after"),
    [(b'""', 'Be "kind".'), (b'"\\u0041"', 'Be "kind".\n\nA'), (b'" "', 'Be "kind".\n\n ')],
)
def test_text_goes_before_a_string(text: bytes, after: str) -> None:
    body = b'{"a": ' + text + b"}"
    editor = Editor(body)
    editor.prepend_text(view(body, "a"), 'Be "kind".')
    patched = apply(body, editor.edits)
    assert json.loads(patched) == {"a": after}
    assert patched.endswith(text[1:] + b"}")


def test_an_element_becomes_the_first() -> None:
    for body, after in ((b'{"a":[ ]}', [{"b": 1}]), (b'{"a":[0]}', [{"b": 1}, 0])):
        editor = Editor(body)
        editor.prepend_element(view(body, "a"), {"b": 1})
        assert json.loads(apply(body, editor.edits)) == {"a": after}


@st.composite
def bodies(draw: st.DrawFn, values: st.SearchStrategy[str], *, models: int) -> bytes:
    """An object with `models` top-level members `model` at any place."""
    blank = st.sampled_from(["", " ", "\n\t"])
    strings = st.text(max_size=6).map(lambda text: json.dumps("x" + text))
    members = draw(st.lists(st.tuples(strings, values), max_size=5))
    for _ in range(models):
        key = draw(st.sampled_from(['"model"', '"m\\u006fdel"', '"\\u006D\\u006F\\u0064\\u0065\\u006C"']))
        value = draw(st.one_of(st.just("null"), st.builds(json.dumps, st.text(max_size=8), ensure_ascii=st.booleans())))
        members.insert(draw(st.integers(0, len(members))), (key, value))
    inside = ",".join(f"{draw(blank)}{key}{draw(blank)}:{draw(blank)}{value}{draw(blank)}" for key, value in members)
    return f"{draw(blank)}{{{inside}{draw(blank) if not members else ''}}}{draw(blank)}".encode()


@given(data=st.data(), models=st.integers(1, 3), model=st.text(max_size=8))
def test_every_other_byte_survives(json_values: Any, data: st.DataObject, models: int, model: str) -> None:
    body = data.draw(bodies(json_values(), models=models))
    request = read(body)
    start, end = request.model_span
    patched = patch(body, model)
    assert patched[:start] == body[:start]
    assert patched[len(patched) - len(body) + end :] == body[end:]
    assert json.loads(patched[start : len(patched) - len(body) + end]) == model

    before, after = pairs(body), pairs(patched)
    last = max(index for index, (key, _) in enumerate(before) if key == "model")
    assert before[last][1] == (request.model or before[last][1])
    before[last] = ("model", model)
    assert after == before
    assert patch(patched, model) is patched


@given(data=st.data(), model=st.text(max_size=8))
def test_an_absent_model_becomes_the_first_member(json_values: Any, data: st.DataObject, model: str) -> None:
    body = data.draw(bodies(json_values(), models=0))
    request = read(body)
    start, end = request.model_span
    assert start == end
    assert request.model == ""
    patched = patch(body, model)
    assert patched.startswith(body[:start])
    assert patched.endswith(body[start:])
    assert pairs(patched) == [("model", model), *pairs(body)]


def test_every_dialect_is_patched_alike(any_golden: Any) -> None:
    dialect: Dialect = any_golden.dialect
    editor = Editor(any_golden.body)
    editor.model(dialect.read(any_golden.body), "new")
    patched = apply(any_golden.body, editor.edits)
    assert patched == any_golden.body.replace(json.dumps(any_golden.read["model"]).encode(), b'"new"', 1)
