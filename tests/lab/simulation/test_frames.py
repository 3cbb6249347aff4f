from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extproc_router.lab.simulation.answer import DONE, Event
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.simulation.frames import pieces, spelled

EVENTS = (Event(b"data: 1\n\n"), Event(b"event: x\ndata: 2\n\n", 1), Event(b"data: 3\n\n", 2), DONE)


def test_by_default_nothing_changes() -> None:
    assert spelled(EVENTS, Behaviour()) == EVENTS


def test_several_go_out_at_once_with_all_their_tokens() -> None:
    joined = spelled(EVENTS, Behaviour(events_per_write=3))
    assert [each.tokens for each in joined] == [3, 0]
    assert joined[0].data == b"data: 1\n\nevent: x\ndata: 2\n\ndata: 3\n\n"


def test_comments_line_ends_and_a_missing_end() -> None:
    odd = spelled(EVENTS[1:], Behaviour(comments=True, crlf=True, without_done=True))
    assert odd[0].data == b": keep-alive\r\n\r\nevent: x\r\ndata: 2\r\n\r\n"
    assert len(odd) == 2


@given(st.binary(max_size=50), st.none() | st.integers(1, 60))
def test_pieces_lose_nothing(data: bytes, size: int | None) -> None:
    cut = list(pieces(data, size))
    assert b"".join(cut) == data
    assert all(0 < len(piece) <= (size or 50) for piece in cut)
