from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.candidates import Change
from extproc_router.dialects import apply, edit, find, redactions
from extproc_router.types import Replacement

SECRET = "4242424242"


def search(text: str) -> list[Replacement]:
    return [Replacement(hit.start(), hit.end(), "<X>") for hit in re.finditer(SECRET, text)]


def redacted(body: bytes) -> bytes:
    return apply(body, redactions(body, search))


def offered(body: Any) -> list[str]:
    """What is searched in a body."""
    seen: list[str] = []

    def note(text: str) -> list[Replacement]:
        seen.append(text)
        return []

    assert redactions(json.dumps(body).encode(), note) == ()
    return seen


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
        (b'{"4242424242":"4242424242" }', b'{"4242424242":"<X>" }'),
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
    body = b'{"prompt":"x"}'
    edits = redactions(body, lambda _: [Replacement(0, 1, 'é"\\\n')])
    assert apply(body, edits) == b'{"prompt":"\\u00e9\\"\\\\\\n"}'


@pytest.mark.parametrize(
    "name",
    [
        *("messages", "system", "prompt", "suffix", "input", "instructions", "user", "metadata"),
        *("safety_identifier", "prediction"),
    ],
)
def test_all_sections_and_their_duplicates(name: str) -> None:
    body = f'{{"{name}":"{SECRET}","model":"{SECRET}","{name}":["{SECRET}"],"tools":[{{"{name}":"{SECRET}"}}]}}'
    after = f'{{"{name}":"<X>","model":"{SECRET}","{name}":["<X>"],"tools":[{{"{name}":"{SECRET}"}}]}}'
    assert redacted(body.encode()) == after.encode()


def test_keys_are_read_through_their_escapes() -> None:
    body = b'{"m\\u0065ssages":[{"\\u0069d":"4242424242","te\\u0078t":"4242424242"}]}'
    assert redacted(body) == b'{"m\\u0065ssages":[{"\\u0069d":"4242424242","te\\u0078t":"<X>"}]}'


@pytest.mark.parametrize(
    ("message", "texts"),
    [
        ({"role": "user", "name": "Ann", "content": "Hi"}, ["Hi", "Ann"]),
        ({"name": "Ann", "role": "assistant", "refusal": "No", "reasoning": "Hm"}, ["No", "Hm", "Ann"]),
        ({"role": "tool", "name": "f", "tool_call_id": "t", "content": "1"}, ["1"]),
        ({"role": "function", "name": "f", "content": [{"type": "text", "text": "1"}]}, ["1"]),
        ({"role": "x", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}, ["{}"]),
        ({"type": "image_generation_call", "id": "i", "result": "AAAA"}, []),
        ({"type": "mcp_call", "name": "f", "result": "Hi"}, ["Hi"]),
        ({"type": "function_call", "call_id": "c", "name": "f", "arguments": {"name": "Ann"}}, ["Ann"]),
        ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "A"}, ["Hm"]),
        ({"type": "audio", "expires_at": 1700000000, "audio": {"id": "a"}}, []),
    ],
)
def test_what_of_a_message_is_content(message: dict[str, Any], texts: list[str]) -> None:
    for section in ("messages", "input", "prompt"):
        assert offered({section: [message]}) == texts


@pytest.mark.parametrize(
    ("part", "texts"),
    [
        ({"type": "tool_result", "tool_use_id": "t", "content": "1"}, ["1"]),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {"name": "Ann", "id": "7"}}, ["Ann", "7"]),
        ({"type": "tool_use", "input": {"data": "d", "n": [12345678, 1]}}, ["d", "12345678"]),
        ({"type": "image_url", "image_url": {"url": "https://x", "detail": "low"}}, ["https://x", "low"]),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, []),
        ({"type": "input_image", "image_url": "DATA:image/svg+xml;charset=utf-8;base64,AA/+="}, []),
        ("data:text/plain;base64,AAAA is me", ["data:text/plain;base64,AAAA is me"]),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, ["wav"]),
        ({"type": "file", "file": {"file_data": "AAAA", "filename": "ann.pdf"}}, ["ann.pdf"]),
        ({"type": "image", "source": {"type": "base64", "data": "AAAA"}}, []),
        ({"type": "document", "source": {"data": "Hi", "type": "text"}}, ["Hi"]),
        ({"type": "thinking", "thinking": "Hm", "signature": "AAAA"}, ["Hm"]),
        ({"type": "redacted_thinking", "data": "AAAA"}, []),
        ({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "5m"}}, ["Hi"]),
        ({"type": "of_tomorrow", "word": {"data": {"deep": "Hi"}}, "n": 12345678}, ["Hi", "12345678"]),
    ],
)
def test_what_of_a_part_is_content(part: Any, texts: list[str]) -> None:
    for section in ("messages", "input"):
        assert offered({section: [{"role": "user", "content": [part]}]}) == texts


def test_escaped_kinds_are_understood() -> None:
    body = b'{"messages":[{"content":[{"type":"document","source":{"type":"t\\u0065xt","data":"4242424242"}}]}]}'
    assert b"<X>" in redacted(body)


def test_stored_prompts_and_metadata_have_no_structure() -> None:
    variables = {"name": "Ann", "id": "7", "part": {"type": "input_text", "text": "Hi"}}
    prompt = {"id": "pmpt_1", "version": "3", "variables": variables}
    assert offered({"prompt": prompt}) == ["3", "Ann", "7", "input_text", "Hi"]
    assert offered({"metadata": {"user_id": "7", "id": "8", "role": "r"}}) == ["7", "8", "r"]


def test_token_ids_are_not_searched() -> None:
    assert offered({"prompt": [[1, 262_144], [999_999]], "input": [7]}) == []


def test_every_golden_body_stays_readable(any_golden: Any) -> None:
    edits = redactions(any_golden.body, lambda text: [Replacement(0, len(text), "<X>")])
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
        return ("object", [(key, replaced(each)) for key, each in value[1]])
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
    body = f'{{"tools":{data.draw(values)},"metadata" : {data.draw(values)}}}'.encode()
    (tools, metadata) = load(body)[1]
    edits = redactions(body, search)
    after = apply(body, edits)
    assert load(after) == ("object", [tools, ("metadata", replaced(metadata[1]))])
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
    body = json.dumps({"prompt": ("\\" * 20 + SECRET + "😀") * 20_000}).encode()
    assert redacted(body) == body.replace(SECRET.encode(), b"<X>")
