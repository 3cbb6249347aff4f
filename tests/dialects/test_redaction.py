from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.candidates import Change
from extproc_router.dialects import apply, edit, find, redactions
from extproc_router.dialects.redaction import MAX_PIECES, MAX_REPLACEMENTS
from extproc_router.errors import UncheckableBody
from extproc_router.types import Replacement

SECRET = "4242424242"


def search(text: str) -> list[Replacement]:
    return [Replacement(hit.start(), hit.end(), "<X>") for hit in re.finditer(SECRET, text)]


def redacted(body: bytes) -> bytes:
    return apply(body, redactions(body, search))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"4242424242"', b'"<X>"'),
        (b'"a 4242424242, 4242424242."', b'"a <X>, <X>."'),
        (b'"\\u0034242424242"', b'"<X>"'),
        (b'"\\ud83d\\ude00\\n4242424242\\t\\u00e9"', b'"\\ud83d\\ude00\\n<X>\\t\\u00e9"'),
        ('"é😀4242424242\\/\u2028"'.encode(), '"é😀<X>\\/\u2028"'.encode()),
        (b'"\\\\4242424242\\""', b'"\\\\<X>\\""'),
        (b'"{\\"card\\":4242424242}"', b'"{\\"card\\":<X>}"'),
        (b'[ "4242424242" , {"k" :"4242424242"}]', b'[ "<X>" , {"k" :"<X>"}]'),
        (b'{"a4242424242":"4242424242" }', b'{"a<X>":"<X>" }'),
        (b"4242424242", b'"<X>"'),
        (b"[-4242424242.50, 1]", b'["-<X>.50", 1]'),
        (b"4242424242e2", b'"<X>e2"'),
        (b"424242", b"424242"),
        (b"1.2345e-10", b"1.2345e-10"),
    ],
)
def test_only_the_found_characters_change(before: bytes, after: bytes) -> None:
    body, expected = (b'{"model":"m", "metadata": {"x":' + value + b"} }" for value in (before, after))
    assert redacted(body) == expected


def test_nothing_found_is_the_same_object() -> None:
    body = b'{"messages":[{"role":"user","content":"Hi"}]}'
    assert redacted(body) is body


def test_what_goes_in_is_escaped() -> None:
    body = b'{"prompt":"xxxx"}'
    edits = redactions(body, lambda _: [Replacement(0, 4, 'é"\\\n')])
    assert apply(body, edits) == b'{"prompt":"\\u00e9\\"\\\\\\n"}'


@pytest.mark.parametrize(
    "name", ["messages", "system", "prompt", "input", "metadata", "stop", "of_tomorrow", "Messages"]
)
def test_duplicates_are_searched_too(name: str) -> None:
    body = f'{{"{name}":"{SECRET}","model":"{SECRET}","{name}":["{SECRET}"],"logit_bias":{{"{name}":"{SECRET}"}}}}'
    after = f'{{"{name}":"<X>","model":"{SECRET}","{name}":["<X>"],"logit_bias":{{"{name}":"{SECRET}"}}}}'
    assert redacted(body.encode()) == after.encode()


def calling(arguments: str) -> bytes:
    return json.dumps({"messages": [{"tool_calls": [{"function": {"arguments": arguments}}]}]}).encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r'{"é😀4\u003242424242":[4242424242," é4242424242"]}', r'{"é😀<X>":["<X>"," é<X>"]}'),
        (r' ["4\u003242424242 \u002d", "4242424242"] ', r' ["<X> \u002d", "<X>"] '),
        (r'{"a":"4\u003242424242"', r'{"a":"4\u003242424242"'),
        (r"4\u003242424242", r"4\u003242424242"),
        (r'["\ud8004242424242","4\u003242424242"]', r'["\ud800<X>","4\u003242424242"]'),
    ],
)
def test_escapes_within_json_within_a_string_hide_nothing(before: str, after: str) -> None:
    assert json.loads(redacted(calling(before))) == json.loads(calling(after))


def test_half_surrogate_pairs_do_no_harm() -> None:
    body = b'{"metadata":{"\\ud800":"\\udc00\\ud800\\u00414242424242\\ud83d\\ude004242424242"},"x\\ud800":"4242424242"}'
    assert redacted(body) == body.replace(b"4242424242", b"<X>")


@pytest.mark.parametrize(("count", "size"), [(MAX_PIECES, 4), (MAX_PIECES * 2, 3)])
def test_pieces_are_bounded(count: int, size: int) -> None:
    body = json.dumps({"metadata": {"k": ["a" * size] * count}}).encode()
    assert redacted(body) is body
    with pytest.raises(UncheckableBody, match="more pieces, than are looked through"):
        redacted(json.dumps({"stop": ["aaaa"] * (MAX_PIECES + 1)}).encode())


def test_replacements_are_bounded() -> None:
    body = json.dumps({"prompt": [f"{SECRET} " * (MAX_REPLACEMENTS // 2)] * 2}).encode()
    assert redacted(body) == body.replace(SECRET.encode(), b"<X>")
    with pytest.raises(UncheckableBody, match="more personal data"):
        redacted(body.replace(b'{"', b'{"user":"4242424242","'))


def test_keys_are_read_through_their_escapes() -> None:
    body = b'{"m\\u0065ssages":[{"\\u0069d":"4242424242","te\\u0078t":"4242424242"}]}'
    assert redacted(body) == b'{"m\\u0065ssages":[{"\\u0069d":"4242424242","te\\u0078t":"<X>"}]}'


def test_escaped_kinds_are_understood() -> None:
    body = b'{"messages":[{"content":[{"type":"document","source":{"type":"t\\u0065xt","data":"4242424242"}}]}]}'
    assert b"<X>" in redacted(body)


def test_every_golden_body_stays_readable(any_golden: Any) -> None:
    edits = redactions(any_golden.body, lambda text: [] if text.isidentifier() else [Replacement(0, len(text), "<X>")])
    after = any_golden.dialect.read(apply(any_golden.body, edits))
    assert [turn.role for turn in after.turns] == [turn.role for turn in any_golden.request.turns]
    assert (after.model, after.tools, after.called) == (
        any_golden.request.model,
        any_golden.request.tools,
        any_golden.request.called,
    )


class Number(str):
    __slots__ = ()


def load(body: bytes) -> Any:
    return json.loads(body, object_pairs_hook=lambda pairs: ("object", pairs), parse_int=Number, parse_float=Number)


def replaced(value: Any) -> Any:
    """What is expected of a value in which all is content."""
    if isinstance(value, Number):
        long = sum(char.isdigit() for char in value) >= 7 and SECRET in value
        return value.replace(SECRET, "<X>") if long else value
    if isinstance(value, str):
        return value.replace(SECRET, "<X>")
    if isinstance(value, tuple):
        return ("object", [(replaced(key), replaced(each)) for key, each in value[1]])
    return [replaced(each) for each in value] if isinstance(value, list) else value


STRINGS = st.lists(st.sampled_from([SECRET, "a", "é", "😀", '"', "\\", "\n", "\u2028", "42"]), max_size=4).map("".join)
SPELLED = st.one_of(
    st.builds(json.dumps, STRINGS, ensure_ascii=st.booleans()),
    st.sampled_from([SECRET, f"-{SECRET}0.5", f"{SECRET}{SECRET}", "42424242", "7"]),
)
KEYS = st.builds(json.dumps, STRINGS, ensure_ascii=st.booleans())


@given(data=st.data())
def test_any_document(json_values: Any, data: st.DataObject) -> None:
    values = json_values(strings=SPELLED, keys=KEYS)
    body = f'{{"logit_bias":{data.draw(values)},"metadata" : {data.draw(values)}}}'.encode()
    (biases, metadata) = load(body)[1]
    edits = redactions(body, search)
    after = apply(body, edits)
    assert load(after) == ("object", [biases, ("metadata", replaced(metadata[1]))])
    for one in edits:
        found = body[one.start : one.end]
        assert json.loads(b'"' + found + b'"') == SECRET or SECRET.encode() in found
    assert redactions(after, search) == ()


@given(text=STRINGS, prefix=STRINGS.filter(bool), ascii_only=st.booleans())
def test_redaction_goes_with_a_prefix(text: str, prefix: str, ascii_only: bool) -> None:
    dialect = find("/v1/messages")
    assert dialect is not None
    body = json.dumps({"model": "m", "messages": [], "system": text}, ensure_ascii=ascii_only).encode()
    edits, _ = edit(dialect, body, dialect.read(body), Change(model="big", system_prefix=prefix))
    after = apply(body, (*edits, *redactions(body, search)))
    system = f"{prefix}\n\n{text.replace(SECRET, '<X>')}" if text else prefix
    assert json.loads(after) == {"model": "big", "messages": [], "system": system}


def test_two_searches_of_one_body() -> None:
    body = b'{"prompt":"call 4242424242 now"}'
    wide = redactions(body, lambda _: [Replacement(0, 15, "<WIDE>")])
    narrow = redactions(body, search)
    assert apply(body, (*narrow, *wide)) == b'{"prompt":"<WIDE> now"}'


@pytest.mark.parametrize("depth", [1, 100, 900])
def test_deep_nesting(depth: int) -> None:
    body = b'{"input":' + b'[{"a":' * depth + b'"4242424242"' + b"}]" * depth + b"}"
    assert redacted(body) == body.replace(b"4242424242", b"<X>")


def test_a_megabyte_of_escapes() -> None:
    body = json.dumps({"prompt": ("\\" * 20 + "😀") * 25_000 + SECRET}).encode()
    assert redacted(body) == body.replace(SECRET.encode(), b"<X>")
