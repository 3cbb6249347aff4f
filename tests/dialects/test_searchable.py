from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.dialects.searchable import MAX_TOKENS, is_data_url, plain, searchable
from extproc_router.errors import UncheckableBody

BASE64 = "aGVsbG8gd29ybGQ-" * 4


def offered(body: Any) -> list[str]:
    raw = json.dumps(body).encode()
    return [raw[start:end].decode() for start, end in searchable(raw)]


@pytest.mark.parametrize(
    ("message", "texts"),
    [
        ({"role": "user", "name": "Ann", "content": "Hi"}, ["Hi", "Ann"]),
        ({"name": "Ann", "role": "assistant", "refusal": "No", "reasoning": "Hm"}, ["No", "Hm", "Ann"]),
        ({"role": "tool", "name": "f", "tool_call_id": "t", "content": "1"}, ["1"]),
        ({"role": "function", "name": "f", "content": [{"type": "text", "text": "1"}]}, ["1"]),
        ({"role": "x", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}, ["{}"]),
        ({"type": "image_generation_call", "id": "i", "result": BASE64}, []),
        ({"type": "mcp_call", "name": "f", "result": "Hi"}, ["Hi"]),
        ({"type": "function_call", "call_id": "c", "name": "f", "arguments": {"name": "Ann"}}, ["name", "Ann"]),
        ({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "A"}, ["Hm"]),
        ({"role": "assistant", "audio": {"id": "a", "transcript": "Hi"}}, ["Hi"]),
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
        ({"type": "tool_use", "id": "t", "name": "f", "input": {"name": "Ann", "id": "7"}}, ["name", "Ann", "id", "7"]),
        ({"type": "tool_use", "input": {"data": "d", "n": [12345678, 1]}}, ["data", "d", "n", "12345678"]),
        ({"type": "image_url", "image_url": {"url": "https://x", "detail": "low"}}, ["https://x", "low"]),
        ({"type": "image_url", "image_url": {"url": BASE64}}, [BASE64]),
        ({"type": "input_image", "image_url": BASE64}, []),
        ("data:text/plain;base64,AAAA is me", ["data:text/plain;base64,AAAA is me"]),
        ({"type": "input_audio", "input_audio": {"data": BASE64, "format": "wav"}}, ["wav"]),
        ({"type": "file", "file": {"file_data": BASE64, "filename": "ann.pdf"}}, ["ann.pdf"]),
        ({"type": "file", "file": {"file_data": "data:text/plain,Ann"}}, ["data:text/plain,Ann"]),
        ({"type": "image", "source": {"type": "base64", "data": BASE64}}, []),
        ({"type": "image", "image": BASE64, "audio": {"text": "Hi"}, "video": "Ann Lee"}, ["Hi", "Ann Lee"]),
        ({"type": "document", "source": {"data": BASE64, "type": "text"}}, [BASE64]),
        ({"type": "document", "source": {"data": "Hi", "type": "text"}}, ["Hi"]),
        ({"type": "thinking", "thinking": "Hm", "signature": "AAAA"}, ["Hm"]),
        ({"type": "redacted_thinking", "data": BASE64}, []),
        ({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "5m"}}, ["Hi"]),
        ({"type": "of_tomorrow", "word": {"data": {"deep": "Hi"}}, "n": 12345678}, ["Hi", "12345678"]),
    ],
)
def test_what_of_a_part_is_content(part: Any, texts: list[str]) -> None:
    for section in ("messages", "input"):
        assert offered({section: [{"role": "user", "content": [part]}]}) == texts


TOOL = {"name": "f", "description": "Calls Ann", "parameters": {"type": "object"}}
SCHEMA = {
    "type": ["object", "null"],
    "properties": {"id": {"type": "string", "enum": ["Ann"]}, "name": {"$ref": "#/$defs/n"}, "role": {"title": "R"}},
    "required": ["id"],
    "maximum": 123456789,
    "$defs": {"n": {"type": "string", "default": "Bob", "const": 4242424242}},
}


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ({"tools": [{"type": "function", "function": TOOL}]}, ["Calls Ann"]),
        ({"tools": [{"type": "mcp", "server_url": "u", "headers": {"x": "y"}, "authorization": "z"}]}, []),
        ({"functions": [TOOL]}, ["Calls Ann"]),
        ({"input": [{"type": "mcp_list_tools", "tools": [TOOL]}]}, ["Calls Ann"]),
        ({"tools": [{"name": "f", "input_schema": SCHEMA}]}, ["R"]),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"const": "Ann", "title": "T"}}}},
            ["T"],
        ),
        ({"text": {"format": {"schema": {"enum": ["Ann"], "minimum": 12345678}}}}, []),
        ({"documents": [{"title": "T", "text": "Hi"}]}, ["title", "T", "text", "Hi"]),
        ({"chat_template_kwargs": {"id": "Ann", "enable_thinking": True}}, ["id", "Ann", "enable_thinking"]),
        ({"metadata": {"user_id": "7", "id": 12345678}}, ["user_id", "7", "id", "12345678"]),
        ({"extra_body": {"model": "m"}}, ["model", "m"]),
        ({"prediction": {"type": "content", "content": "Hi"}}, ["Hi"]),
        (
            {"stop": ["Ann"], "user": "Bob", "prompt_cache_key": "Cy", "safety_identifier": "Di"},
            ["Ann", "Bob", "Cy", "Di"],
        ),
        ({"of_tomorrow": {"word": "Hi", "n": [12345678]}, "number_of_tomorrow": 12345678}, ["Hi", "12345678"]),
        ({"prompt": {"id": "p", "version": "3", "variables": {"name": {"type": "x"}}}}, ["3", "name", "type", "x"]),
        ({"model": "m", "seed": 12345678, "tool_choice": {"name": "f"}, "logit_bias": {"50256": -100}, "n": 1}, []),
        ({"tool_choice": [[{"a": ["b"]}], "c"], "user": "Ann"}, ["Ann"]),
        ({"prompt": [[1, 262_144], [999_999]], "input": [7]}, []),
    ],
)
def test_what_of_a_body_is_searched(body: Any, texts: list[str]) -> None:
    assert offered(body) == texts


def test_all_is_searched_where_nobody_defines_anything() -> None:
    body = b'{"model":["m",12345678]}'
    assert [body[start:end] for start, end in searchable(body, free=True)] == [b"model", b"m", b"12345678"]


def test_tokens_are_bounded() -> None:
    fits: dict[str, Any] = {"tool_choice": [[]] * (MAX_TOKENS // 2 - 3)}
    assert offered(fits) == []
    with pytest.raises(UncheckableBody, match="more pieces"):
        offered({**fits, "n": [[], []]})


@pytest.mark.parametrize(
    ("literal", "is_one"),
    [
        (b"data:image/png;base64,AAAA", True),
        (b"DATA:image/svg+xml;charset=utf-8;base64,AA/+=", True),
        (b"data:text/plain,Ann", False),
        (b"data:text/plain;base64,AAAA is me", False),
        (b"see data:image/png;base64,AAAA", False),
    ],
)
def test_data_urls(literal: bytes, is_one: bool) -> None:
    assert is_data_url(literal) is is_one


@pytest.mark.parametrize(("literal", "text"), [(b"a", b"a"), (b"\\u0061", b"a"), (b"\\ud800x", b"?x")])
def test_plain(literal: bytes, text: bytes) -> None:
    assert plain(literal) == text
