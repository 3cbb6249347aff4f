"""Through a running model server, on raw sockets: what a client sees of each fault."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation.behaviour import Behaviour, Place

if TYPE_CHECKING:
    from extproc_router.lab.simulator import ModelServer

WHOLE: dict[str, Any] = {"model": "m", "messages": []}
STREAM = {**WHOLE, "stream": True}


def body_of(reply: bytes) -> bytes:
    """The body of a chunked reply, its chunks joined."""
    rest, body = reply.partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[: int(size, 16)]
        rest = rest[int(size, 16) + 2 :]
    return body


def test_a_good_answer(small: ModelServer, exchange: Any, post: Any) -> None:
    reply = exchange(small.port, post(WHOLE))
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"server: simulator-small\r\n" in reply
    assert reply.endswith(b"}")


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ("before_headers", b""),
        ("mid_headers", b"HTTP/1.1 2"),
        ("after_headers", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"),
        ("mid_answer", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"),
    ],
)
@pytest.mark.parametrize(("fault", "end"), [("reset", b"<RST>"), ("close", b"")])
def test_whole_answers_break_off(
    small: ModelServer, exchange: Any, post: Any, fault: Any, end: bytes, place: Place, seen: bytes
) -> None:
    small.behaviour = Behaviour(fault=fault, fault_at=place)
    reply = exchange(small.port, post(WHOLE))

    assert reply.startswith(seen)
    assert reply.endswith(end)
    assert (b"<RST>" in reply) == (fault == "reset")
    body = reply.removesuffix(b"<RST>").partition(b"\r\n\r\n")[2]
    assert bool(body) == (place == "mid_answer")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(body)
    assert small.total == 1
    assert small.cut_off == 0


@pytest.mark.parametrize(("fault", "end"), [("reset", b"<RST>"), ("close", b"\n\n\r\n")])
def test_streams_break_off_after_so_many_tokens(
    small: ModelServer, exchange: Any, post: Any, fault: Any, end: bytes
) -> None:
    small.behaviour = Behaviour(fault=fault, fault_at="mid_answer", fault_after_tokens=3)
    reply = exchange(small.port, post(STREAM))

    assert reply.endswith(end)
    assert b'"small "' in reply
    assert b'"says "' not in reply
    assert b"\r\n0\r\n\r\n" not in reply


def test_an_error_event_in_place_of_the_rest(small: ModelServer, exchange: Any, post: Any) -> None:
    small.behaviour = Behaviour(fault="error", fault_after_tokens=3)
    body = body_of(exchange(small.port, post(STREAM)))
    assert body.count(b'"small "') == 1
    last = body.strip().rpartition(b"data: ")[2]
    assert json.loads(last)["error"]["code"] == 500


@pytest.mark.parametrize(
    ("place", "last"),
    [
        ("before_headers", b""),
        ("mid_headers", b"HTTP/1.1 2"),
        ("after_headers", b"\r\n\r\n"),
        ("mid_answer", b"\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("body", [WHOLE, STREAM])
def test_a_hang_lasts_until_the_client_leaves(
    small: ModelServer, post: Any, body: Any, place: Place, last: bytes
) -> None:
    small.behaviour = Behaviour(fault="hang", fault_at=place)
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as client:
        client.sendall(post(body))
        heard = b""
        while last not in heard:
            heard += client.recv(65536)
        client.settimeout(0.1)
        with suppress(TimeoutError):
            while data := client.recv(65536):
                heard += data
            pytest.fail("the connection has ended")
    assert b"\r\n0\r\n\r\n" not in heard
    assert place != "before_headers" or heard == b""
    end = time.monotonic() + 10
    while not small.cut_off and time.monotonic() < end:
        time.sleep(0.01)
    assert small.cut_off == 1


def test_headers_dribble_in(small: ModelServer, exchange: Any, post: Any) -> None:
    small.behaviour = Behaviour(headers_seconds=0.05)
    assert exchange(small.port, post(WHOLE)).endswith(b"}")


def test_streams_are_paced_by_token(small: ModelServer, post: Any) -> None:
    small.behaviour = Behaviour(ttft_seconds=0.15, tokens_per_second=20)

    async def listen() -> tuple[float, float, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
        start = time.monotonic()
        writer.write(post(STREAM))
        await reader.readuntil(b"\r\n\r\n")
        head = time.monotonic() - start
        await reader.readuntil(b'"small "')
        third = time.monotonic() - start
        await reader.read()
        end = time.monotonic() - start
        writer.close()
        return head, third, end

    head, third, end = asyncio.run(listen())
    # Sleeps are never shorter than they should be; how much longer they are is the machine's affair.
    assert third >= 0.15 + 2 / 20
    assert end >= 0.15 + 4 / 20
    assert head < third


@pytest.mark.parametrize("behaviour", [Behaviour(ttft_seconds=0.1, late_headers=True), Behaviour(headers_seconds=0.1)])
def test_late_headers(small: ModelServer, post: Any, behaviour: Behaviour) -> None:
    small.behaviour = behaviour
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as client:
        start = time.monotonic()
        client.sendall(post(STREAM))
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += client.recv(1)
        assert time.monotonic() - start >= 0.1


def test_whole_answers_take_as_long_as_their_tokens(small: ModelServer, exchange: Any, post: Any) -> None:
    small.behaviour = Behaviour(ttft_seconds=0.05, tokens_per_second=50)
    start = time.monotonic()
    exchange(small.port, post(WHOLE))
    assert time.monotonic() - start >= 0.05 + 5 / 50


@pytest.mark.parametrize(
    "odd",
    [
        Behaviour(split_bytes=7),
        Behaviour(events_per_write=4),
        Behaviour(comments=True),
        Behaviour(crlf=True),
        Behaviour(without_done=True),
        Behaviour(split_bytes=3, events_per_write=2, comments=True, crlf=True, without_done=True),
    ],
)
def test_odd_streams_say_the_same(small: ModelServer, exchange: Any, post: Any, odd: Behaviour) -> None:
    small.behaviour = odd
    body = body_of(exchange(small.port, post(STREAM)))
    lines = body.decode().replace("\r\n", "\n").split("\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]

    assert ("\r\n\r\n" in body.decode()) == odd.crlf
    assert (": keep-alive" in lines) == odd.comments
    assert (data[-1] != "[DONE]") == odd.without_done
    deltas = [json.loads(each)["choices"][0]["delta"] for each in data if each != "[DONE]"]
    assert "".join(delta.get("content", "") for delta in deltas) == "m on small says hello."


def test_head_has_no_body(small: ModelServer, exchange: Any) -> None:
    reply = exchange(small.port, b"HEAD /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert reply.endswith(b"\r\n\r\n")
