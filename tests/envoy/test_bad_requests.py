"""What cannot be routed is refused in the API's own shape, and no upstream hears of it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import openai
import pytest

from extproc_router.lab.envoy_file import ENVOY_YAML

if TYPE_CHECKING:
    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

MESSAGES = b'"messages":[{"role":"user","content":"hi"}]'
DEEP = b"[" * 10_000 + b"]" * 10_000
BAD_BODIES = {
    "not JSON": b"model=auto",
    "cut off": b'{"model":"auto","messages":[',
    "no object": b'["auto"]',
    "null": b"null",
    "messages missing": b'{"model":"auto"}',
    "messages of a wrong type": b'{"model":"auto","messages":"hi"}',
    "a message of a wrong type": b'{"model":"auto","messages":[1]}',
    "model of a wrong type": b'{"model":7,' + MESSAGES + b"}",
    "invalid UTF-8": b'{"model":"auto","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "raw NUL": b'{"model":"auto","messages":[{"role":"user","content":"\x00"}]}',
    "NUL alone": b"\x00",
    "nesting": b'{"model":"auto","x":' + DEEP + b"," + MESSAGES + b"}",
    "nesting in messages": b'{"model":"auto","messages":' + DEEP + b"}",
    "lone surrogates": b'{"model":"auto","messages":[{"role":"user","content":"\\ud800"}]}',
    "NaN": b'{"model":"auto","temperature":NaN,' + MESSAGES + b"}",
    "trailing junk": b'{"model":"auto",' + MESSAGES + b"} x",
}
CAP = 8 * 1024 * 1024
[ENVOYS_LIMIT] = re.findall(r"request_body_buffer_limit: (\d+)", ENVOY_YAML.read_text())


def assert_openai_error(document: dict[str, object], code: str | None) -> None:
    error = document["error"]
    assert isinstance(error, dict)
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == code


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body_is_400(house: House, body: bytes) -> None:
    reply = house.post(body, [("content-type", "application/json")])

    assert reply.status == 400
    assert reply.headers["content-type"] == "application/json"
    assert_openai_error(reply.json(), None)
    assert house.received == []
    assert house.decision(reply.headers["x-request-id"])["reason"] == "refused"


def test_anthropics_clients_get_anthropics_shape(house: House) -> None:
    bad = house.post(b"{", path="/v1/messages")
    unknown = house.post(b'{"model":"claude-9","max_tokens":5,' + MESSAGES + b"}", path="/v1/messages")

    assert (bad.status, unknown.status) == (400, 404)
    assert (bad.json()["type"], bad.json()["error"]["type"]) == ("error", "invalid_request_error")
    assert (unknown.json()["type"], unknown.json()["error"]["type"]) == ("error", "not_found_error")
    assert "claude-9" in unknown.json()["error"]["message"]
    assert house.received == []


def test_an_unknown_model_is_404(house: House) -> None:
    reply = house.post(house.chat(model="gpt-99"))

    assert reply.status == 404
    assert_openai_error(reply.json(), "model_not_found")
    assert house.received == []


def test_the_openai_client_understands_the_refusals(house: House) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        house.client.chat.completions.create(model="gpt-99", messages=[{"role": "user", "content": "hi"}])
    with pytest.raises(openai.BadRequestError) as bad:
        house.client.chat.completions.create(model="auto", messages="hi")  # type: ignore[arg-type]  # that is the point

    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    assert bad.value.type == "invalid_request_error"
    assert house.received == []


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
@pytest.mark.parametrize("size", [CAP + 1, int(ENVOYS_LIMIT) - 1, int(ENVOYS_LIMIT) + 1, 4 * CAP])
def test_a_body_that_is_too_long_is_413(house: House, size: int, *, chunked: bool) -> None:
    body = house.chat("x" * (size - len(house.chat(""))))
    assert len(body) == size

    reply = house.post(body, chunked=chunked)

    assert reply.status == 413
    assert reply.headers["content-type"] == "application/json"
    error = reply.json()["error"]
    assert {key: error[key] for key in ("type", "param", "code")} == {
        "type": "invalid_request_error",
        "param": None,
        "code": "request_too_large",
    }
    assert error["message"]
    assert house.received == []


def test_a_body_at_the_cap_is_routed(house: House) -> None:
    body = house.chat("x" * (CAP - len(house.chat("", model="code-32b"))), model="code-32b")
    assert len(body) == CAP

    assert house.post(body).status == 200
    assert house.only().body == body


@pytest.mark.parametrize("name", ["\U000e0001" * 1_000_000, "x" * 8_000_000])
def test_a_model_name_of_megabytes_is_404_and_not_echoed(house: House, name: str) -> None:
    reply = house.post(json.dumps({"model": name, "messages": []}, ensure_ascii=False).encode())

    assert reply.status == 404
    assert len(reply.body) < 2000
    assert house.received == []


@pytest.mark.parametrize("extra", [80, 100, 150])
def test_many_headers_are_no_reason_to_fail(house: House, extra: int) -> None:
    reply = house.post(house.chat(model="code-32b"), [(f"x-metadata-{number}", "1") for number in range(extra)])

    assert reply.status == 200
    assert house.only().cluster == "code"


def test_many_small_parts_hold_nobody_up(house: House) -> None:
    parts = b'{"model":"auto","messages":[{"role":"user","content":[' + b"{}," * 99_990 + b"{}]}]}"
    with ThreadPoolExecutor(2) as clients:
        slow = [clients.submit(house.post, parts) for _ in range(8)]
        named = [house.post(house.chat(model="code-32b")) for _ in range(10)]
        assert {reply.result().status for reply in slow} == {400}
    assert {reply.status for reply in named} == {200}
    assert {request.cluster for request in house.received} == {"code"}


def test_headers_with_underscores_are_refused(house: House) -> None:
    reply = house.post(house.chat(), [("x_selected_cluster", "large")])

    assert reply.status == 400
    assert_openai_error(reply.json(), "http1.unexpected_underscore")
    assert house.received == []
