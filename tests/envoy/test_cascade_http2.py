"""HTTP/2 clients of a cascade: what waits for them, stream by stream, waits in Envoy."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, cost: {input: 1, output: 2}}
  - {name: large-70b, cluster: large, cost: {input: 10, output: 20}}
rules:
  - {name: cascade, use: [small-8b, large-70b], cascade: {accept_at: 0.5, first_tokens: 8}}
routing: {default: small-8b}
"""
TOKENS = 5_000
SECONDS = 20.0
# RFC 9113, sections 4.1, 6 and 7; RFC 7541, appendix A.
DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW, LARGEST = 4, 2**31 - 1
POST, HTTP, PATH, AUTHORITY = b"\x83", b"\x86", b"\x04", b"\x01"


@pytest.fixture(scope="module")
def house(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name: bytes, value: bytes) -> bytes:
    return name + bytes([len(value)]) + value


def ask(house: House, body: bytes) -> bytes:
    """Ask as a client that takes as much as it can get; returns the answer's body."""
    fields = POST + HTTP + header(PATH, b"/v1/chat/completions") + header(AUTHORITY, b"x")
    with socket.create_connection(("127.0.0.1", house.stack.envoy.port), timeout=SECONDS) as client:
        client.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW, LARGEST))
            + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST - 65_535))
            + frame(HEADERS, END_HEADERS, 1, fields)
            + frame(DATA, END_STREAM, 1, body)
        )
        answer, ended = b"", False
        with client.makefile("rb") as frames:
            while not ended:
                size, kind, flags, stream = struct.unpack(">IBBI", b"\0" + frames.read(9))
                payload = frames.read(size)
                if kind == SETTINGS and flags != ACK:
                    client.sendall(frame(SETTINGS, ACK, 0, b""))
                answer += payload if kind == DATA else b""
                ended = stream == 1 and kind in (DATA, HEADERS) and bool(flags & END_STREAM)
        return answer


@pytest.mark.parametrize("at_once", [1, 100, 2 * TOKENS])
@pytest.mark.parametrize("kind", ["good", "refusal"])
def test_a_stream_that_comes_faster_than_it_is_taken(house: House, kind: Any, at_once: int) -> None:
    house.server("small").behaviour = Behaviour(answer=kind, answer_tokens=TOKENS, events_per_write=at_once)
    house.server("large").behaviour = Behaviour(answer_tokens=TOKENS, events_per_write=at_once)

    answer = ask(house, house.chat(stream=True))

    assert answer.count(b'"content": "') >= TOKENS
    assert answer.endswith(b"data: [DONE]\n\n")
    assert b'"logprob"' not in answer
    assert (b"large-70b" in answer) is (kind == "refusal")


@pytest.mark.parametrize("tokens", [1_000, 4_000, 8_000, 12_000, 16_000])
def test_a_long_answer(house: House, tokens: int) -> None:
    """Some of these are longer than what is held to be judged."""
    house.server("small").behaviour = Behaviour(answer_tokens=tokens)

    answer = ask(house, house.chat())

    assert answer.startswith(b"{")
    assert answer.endswith(b"}")
