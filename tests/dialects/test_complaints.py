from __future__ import annotations

import pytest

from extproc_router.dialects import find
from extproc_router.errors import InvalidRequest


def refusal(body: bytes, path: str = "/v1/chat/completions") -> tuple[str, str | None]:
    dialect = find(path)
    assert dialect is not None
    with pytest.raises(InvalidRequest) as caught:
        dialect.read(body)
    assert caught.value.__cause__ is not None or caught.value.param
    return caught.value.message, caught.value.param


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The request body is not valid JSON: it ends too early."),
        (b"  ", "The request body is not valid JSON: it ends too early."),
        (b'{"messages":[', "The request body is not valid JSON: it ends too early."),
        (b'{"messages":[]}x', "The request body is not valid JSON (byte 16)."),
        (b"\xef\xbb\xbf{}", "The request body is not valid JSON (byte 0)."),
        (b'{"n":NaN}', "The request body is not valid JSON (byte 5)."),
        (b'{"n":Infinity}', "The request body is not valid JSON (byte 5)."),
        (b'{"n":"a\x01"}', "The request body is not valid JSON (byte 7)."),
        (b'{"n":1,}', "The request body is not valid JSON (byte 7)."),
        (b"model=gpt&prompt=x", "The request body is not valid JSON (byte 0)."),
        (b'{"n":"\xff"}', "The request body is not valid UTF-8 (byte 6)."),
        (b'{"\xc3":1}', "The request body is not valid UTF-8 (byte 2)."),
        (b'{"n":"\xed\xa0\x80"}', "The request body is not valid UTF-8 (byte 6)."),
        (b'{"n":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "The request body is nested too deeply."),
        (b'{"n":' + b'{"a":' * 10_000, "The request body is nested too deeply."),
        (b"[]", "The request body must be an object, not an array."),
        (b'"text"', "The request body must be an object, not a string."),
        (b"null", "The request body must be an object, not null."),
        (b"1.5", "The request body must be an object, not a number."),
        (b"true", "The request body must be an object, not a boolean."),
    ],
)
def test_not_a_json_object(body: bytes, message: str) -> None:
    assert refusal(body) == (message, None)


@pytest.mark.parametrize(
    "text", [rb"\ud800", rb"\uDFFF", rb"a\ud83d b", rb"\ud800\u0041", rb"\udc00\ud800", rb"\ud83d" + b"x" * 20]
)
@pytest.mark.parametrize("member", [b"user", b"messages"])
def test_half_a_surrogate_pair(text: bytes, member: bytes) -> None:
    message, param = refusal(b'{"' + member + b'":"' + text + b'"}')
    assert "surrogate" in message
    assert param is None


def test_a_whole_surrogate_pair_cut_short_is_truncation() -> None:
    assert "too early" in refusal(rb'{"user":"\ud83d\ude00')[0]


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        (b"{}", "Missing required parameter: 'messages'.", "messages"),
        (b'{"messages":null}', "'messages' must be an array, not null.", "messages"),
        (b'{"messages":"hi"}', "'messages' must be an array, not a string.", "messages"),
        (b'{"messages":["hi"]}', "'messages[0]' must be an object, not a string.", "messages[0]"),
        (b'{"messages":[{}]}', "Missing required parameter: 'messages[0].role'.", "messages[0].role"),
        (b'{"messages":[{"role":7}]}', "'messages[0].role' must be a string, not a number.", "messages[0].role"),
        (
            b'{"messages":[{"role":"user"},{"role":"user","content":{}}]}',
            "'messages[1].content' must be a string, an array or null, not an object.",
            "messages[1].content",
        ),
        (b'{"messages":[],"model":5}', "'model' must be a string.", "model"),
    ],
)
def test_of_the_wrong_shape(body: bytes, message: str, param: str) -> None:
    assert refusal(body) == (message, param)


def test_too_many_messages() -> None:
    body = b'{"messages":[' + b'{"role":""},' * 10_000 + b'{"role":""}]}'
    assert refusal(body) == ("'messages' is longer than 10000 items.", "messages")
