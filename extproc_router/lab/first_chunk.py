"""How long a stream's first bytes take, for several Envoys in turn."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from extproc_router.errors import StartupError
from extproc_router.lab.load import CHAT

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 30.0
"""Patience with one answer."""
_OK = 200


def first_chunks(ports: Sequence[int], bodies: Sequence[bytes]) -> list[list[float]]:
    """Send each body to every port, one at a time, and read each answer to its end.

    The ports swap their turns, so that none is always the first to see a prompt.

    Args:
        ports: of 127.0.0.1; a connection to each is kept.
        bodies: chat requests for streams.

    Returns:
        For each port, milliseconds from sending a request to the first bytes of its answer's body.

    Raises:
        StartupError: an answer is no 200.
    """
    with ExitStack() as open_ones:
        kept = [open_ones.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=SECONDS))) for port in ports]
        times: list[list[float]] = [[] for _ in ports]
        for number, body in enumerate(bodies):
            for turn in range(len(ports)):
                place = (number + turn) % len(ports)
                times[place].append(_first_chunk(kept[place], body))
    return times


def _first_chunk(connection: HTTPConnection, body: bytes) -> float:
    start = time.perf_counter()
    connection.request("POST", CHAT, body, {"content-type": "application/json"})
    response = connection.getresponse()
    response.read1(1)
    took = time.perf_counter() - start
    response.read()
    if response.status != _OK:
        raise StartupError(f"a stream was answered with {response.status}")
    return took * 1000
