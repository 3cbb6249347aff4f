from __future__ import annotations

from extproc_router.lab.simulation.received import Received


def test_repeated_headers_are_joined_to_be_read() -> None:
    received = Received("small", "GET", "/", (("a", "1"), ("b", "2"), ("a", "3")), b"")
    assert [received.header(name) for name in ("a", "b", "c")] == ["1, 3", "2", None]
