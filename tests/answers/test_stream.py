from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.answers import MAX_EVENT, Stream
from extproc_router.answers.apis import APIS
from extproc_router.attempts import Heard, Usage

STOP = '"stop"'
WEIGHED = '{"content": [{"token": "a", "logprob": -0.5}]}'


def chunk(text: str, logprobs: str = "null", finish: str = "null") -> str:
    delta = json.dumps({"content": text}, ensure_ascii=False)
    return f'{{"choices": [{{"index": 0, "delta": {delta}, "logprobs": {logprobs}, "finish_reason": {finish}}}]}}'


USAGE = '{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}'


def stripping(api: str = "chat_completions", *, logprobs: bool = True, usage: bool = True) -> Stream:
    return Stream(api, strips_logprobs=logprobs, strips_usage=usage)


@st.composite
def events(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """An event, and what passes of it."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    before = draw(st.sampled_from(["", "event: e" + end, ": keep-alive" + end, "id: 1" + end]))
    after = draw(st.sampled_from(["", end + "retry: 1", end + ":"]))
    colon = draw(st.sampled_from(["data: ", "data:"]))
    said, passed = draw(
        st.one_of(
            st.builds(lambda text: (chunk(text),) * 2, st.text(max_size=5)),
            st.builds(lambda text: (chunk(text, WEIGHED), chunk(text)), st.text(max_size=5)),
            st.just((USAGE, "")),
            st.sampled_from([("[DONE]",) * 2, ("",) * 2, ("no JSON",) * 2, ('{"error": {}}',) * 2]),
        )
    )

    def written(data: str) -> bytes:
        return f"{before}{colon}{data}{after}{end}{end}".encode()

    return written(said), b"" if said == USAGE else written(passed)


@given(
    st.data(),
    st.lists(events(), max_size=5),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.sampled_from([b"", b"data: {", b": c\n"]),
)
def test_no_split_makes_a_difference(
    data: st.DataObject, said: list[tuple[bytes, bytes]], bom: bytes, rest: bytes
) -> None:
    body = bom + b"".join(event for event, _ in said) + rest
    whole = stripping()
    passed = whole.feed(body, end=True)
    # The mark at the beginning belongs to the first event, and goes with it.
    begins = b"" if said and not said[0][1] else bom
    assert passed == begins + b"".join(left for _, left in said) + rest
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    split = stripping()
    pieces = [split.feed(body[start:stop]) for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert b"".join(pieces) + split.feed(b"", end=True) == passed
    assert (split.heard, split.gave_up) == (whole.heard, whole.gave_up)


@given(st.lists(events(), max_size=3))
def test_byte_by_byte_events_pass_at_their_blank_line(said: list[tuple[bytes, bytes]]) -> None:
    stream = stripping()
    for event, left in said:
        assert b"".join(stream.feed(event[at : at + 1]) for at in range(len(event))) == left


@given(
    st.sampled_from(sorted(APIS)),
    st.lists(st.binary(max_size=20) | st.sampled_from([b"data: ", b"\n\n", b"\r", b'{"type":', b'"error"'])),
)
def test_no_bytes_make_it_raise_or_vanish(api: str, pieces: list[bytes]) -> None:
    stream = stripping(api)
    passed = b"".join(map(stream.feed, pieces)) + stream.feed(b"", end=True)
    assert passed == b"".join(pieces)
    assert stream.ended


def test_a_whole_conversation() -> None:
    stream = stripping()
    assert stream.feed(f"data: {chunk('Hi', WEIGHED)}\n\n".encode()) == f"data: {chunk('Hi')}\n\n".encode()
    assert stream.heard == Heard("Hi", tokens=(-0.5,), pieces=1, complete=False)
    end = f"data: {chunk('', finish=STOP)}\n\n".encode()
    assert stream.feed(end + f"data: {USAGE}\n\n".encode()) == end
    assert not stream.ended
    assert stream.feed(b"data: [DONE]\n\n") == b"data: [DONE]\n\n"
    assert stream.ended
    assert stream.heard == Heard("Hi", finish="stop", tokens=(-0.5,), pieces=1, usage=Usage(3, 2))


@pytest.mark.parametrize("event", [chunk("Hi", WEIGHED), USAGE])
def test_what_the_client_asked_for_stays(event: str) -> None:
    body = f"data: {event}\n\n".encode()
    assert stripping(logprobs=False, usage=False).feed(body) == body


@pytest.mark.parametrize(
    "event",
    [
        '{"choices": []}',
        '{"choices": [], "usage": null}',
        '{"choices": [{"index": 0, "delta": {}}], "usage": null}',
        '{"choices": [{"index": 0, "delta": {}}], "usage": {"prompt_tokens": 3}}',
        '{"choices": [], "prompt_filter_results": []}',
        '{"usage": {"prompt_tokens": 3}}',
    ],
)
def test_only_the_event_of_the_usage_goes(event: str) -> None:
    body = f"data: {event}\n\n".encode()
    assert stripping().feed(body) == body


def test_data_of_several_lines_is_stripped() -> None:
    said = json.loads(chunk("Hi", WEIGHED))
    lines = json.dumps(said, indent=1).replace("\n", "\ndata: ")
    stream = stripping()
    passed = stream.feed(f"event: e\ndata: {lines}\n\n".encode()).decode().splitlines()
    assert passed[0] == "event: e"
    left = json.loads("\n".join(line.removeprefix("data: ") for line in passed[1:]))
    assert left == json.loads(chunk("Hi"))
    assert stream.heard.tokens == (-0.5,)


@pytest.mark.parametrize(
    ("body", "broken", "complete"),
    [
        (f"data: {chunk('Hi')}\n\ndata: {chunk('Hi')[:-9]}", False, False),  # cut off
        (f"data: {chunk('Hi')}\n\ndata: [DONE]", False, True),  # without its blank line
        (f"data: {chunk('Hi')}\n\ndata: [DONE]\n", False, True),
        (f"data: {chunk('Hi', finish=STOP)}\n\n", False, True),  # without its [DONE]
        (f"data: {chunk('Hi')}\n\ndata: {{}}\n\n", False, False),
        (f"data: {chunk('Hi')}\n\ndata: {{\n\n", True, False),
        (f"data: {chunk('Hi')}\n\ndata: []\n\n", True, False),
        (f"data: {chunk('Hi')}\n\n: keep-alive\n\nretry: 5\n\ndata:\n\n", False, False),
    ],
)
def test_how_it_ends(body: str, broken: bool, complete: bool) -> None:
    stream = stripping()
    assert stream.feed(body.encode(), end=True) == body.encode()
    assert stream.ended
    assert (stream.heard.text, stream.heard.broken, stream.heard.complete) == ("Hi", broken, complete)


def test_a_last_event_without_its_blank_line_is_stripped() -> None:
    stream = stripping()
    assert stream.feed(f"data: {chunk('Hi', WEIGHED)}".encode()) == b""
    assert stream.feed(b"", end=True) == f"data: {chunk('Hi')}".encode()
    assert stripping().feed(f"data: {USAGE}\n".encode(), end=True) == b""


@pytest.mark.parametrize("size", [1, 4096, 1 << 22])
@pytest.mark.parametrize("longer", [0, 1])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_an_event_that_is_too_long_passes_unread(size: int, longer: int, end: bytes) -> None:
    before, after = f"data: {chunk('Hi')}".encode() + end, f"data: {chunk('more', WEIGHED)}".encode() + end
    frame = chunk("", WEIGHED).encode()
    long = b"data: " + b" " * (MAX_EVENT - len(b"data: ") - len(frame) + longer) + frame + end
    stream = stripping()
    body = long + after
    # The first and the last bytes alone come in small pieces: what is between them is padding.
    head = body[: MAX_EVENT - 50]
    tail = body[MAX_EVENT - 50 :]
    passed = stream.feed(before) + stream.feed(head)
    passed += b"".join(stream.feed(tail[at : at + size]) for at in range(0, len(tail), size))
    passed += stream.feed(b"", end=True)
    assert stream.gave_up == bool(longer)
    assert not stream.heard.broken
    assert stream.heard.text == ("Hi" if longer else "Himore")
    assert passed == before + (body if longer else body.replace(WEIGHED.encode(), b"null"))


def test_what_is_held_is_bounded() -> None:
    stream = stripping()
    passed = b"".join(stream.feed(b"x" * 65_536) for _ in range(32))
    assert stream.gave_up
    assert len(passed) == 32 * 65_536


def test_no_event_waits_for_the_next_one() -> None:
    stream = stripping()
    event = f"data: {chunk('Hi')}\r\n\r".encode()
    assert stream.feed(event) == event
    assert stream.feed(b"\n") == b"\n"
    dropped = f"data: {USAGE}\r\n\r".encode()
    assert stream.feed(dropped) == b""
    assert stream.feed(b"\ndata: [DONE]\r\r") == b"data: [DONE]\r\r"


def test_an_error_ends_it() -> None:
    stream = stripping()
    stream.feed(b'data: {"error": {"message": "no"}}\n\n')
    assert stream.ended
    assert (stream.heard.broken, stream.heard.complete) == (True, False)


def test_an_unknown_api_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        stripping("gopher")
