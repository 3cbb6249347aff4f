from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec import json as msgspec_json

from extproc_router.dialects import find, with_model
from extproc_router.dialects.splice import find_model
from extproc_router.errors import InvalidRequest

if TYPE_CHECKING:
    from extproc_router.dialects import Dialect
    from extproc_router.types import Request

DIALECT = find("/v1/completions")


def read(body: bytes) -> Request:
    assert DIALECT is not None
    return DIALECT.read(body)


def patch(body: bytes, model: str = "new") -> bytes:
    return with_model(body, read(body), model)


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


@pytest.mark.parametrize("value", [b"7", b"true", b"false", b"{}", b"[]", b'["a"]', b"1e999"])
def test_model_of_another_type_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(b'{"model":' + value + b"}")
    assert caught.value.param == "model"


def test_two_megabytes() -> None:
    prompt = json.dumps("é" * 1_000_000, ensure_ascii=False).encode()
    for body in (b'{"prompt":' + prompt + b',"model":"old"}', b'{"model":"old","prompt":' + prompt + b"}"):
        assert patch(body) == body.replace(b'"old"', b'"new"')


def test_a_view_of_other_bytes_is_never_spliced() -> None:
    other = msgspec_json.decode(b'{"model":"old"}', type=dict[str, Raw])["model"]
    with pytest.raises(AssertionError):
        find_model(b'{"model":"new"}', other)


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
    patched = with_model(body, request, model)
    assert patched[:start] == body[:start]
    assert patched[len(patched) - len(body) + end :] == body[end:]
    assert json.loads(patched[start : len(patched) - len(body) + end]) == model

    before, after = pairs(body), pairs(patched)
    last = max(index for index, (key, _) in enumerate(before) if key == "model")
    assert before[last][1] == (request.model or before[last][1])
    before[last] = ("model", model)
    assert after == before
    assert with_model(patched, read(patched), model) is patched


@given(data=st.data(), model=st.text(max_size=8))
def test_an_absent_model_becomes_the_first_member(json_values: Any, data: st.DataObject, model: str) -> None:
    body = data.draw(bodies(json_values(), models=0))
    request = read(body)
    start, end = request.model_span
    assert start == end
    assert request.model == ""
    patched = with_model(body, request, model)
    assert patched.startswith(body[:start])
    assert patched.endswith(body[start:])
    assert pairs(patched) == [("model", model), *pairs(body)]


def test_every_dialect_is_patched_alike(any_golden: Any) -> None:
    dialect: Dialect = any_golden.dialect
    patched = with_model(any_golden.body, dialect.read(any_golden.body), "new")
    assert patched == any_golden.body.replace(json.dumps(any_golden.read["model"]).encode(), b'"new"', 1)
