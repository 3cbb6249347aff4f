"""Conversations as scripts: what Envoy says, and what must be said back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import LocalProtocolError, RemoteProtocolError
from extproc_router.extproc.commands import Command, Continue, Decide, Mutate, Phase, ReplaceChunk, Respond, StreamChunk
from extproc_router.extproc.events import (
    BodyMode,
    Event,
    Modes,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    Unknown,
)
from extproc_router.extproc.exchange import STREAM_CHUNK_BYTES, Exchange
from extproc_router.types import Answer, Decision, HttpRequest, Mutation, Reason, Reply

DECISION = Decision("id", "", "", "", "", "", "m", "c", Reason.NAMED, "", "", False, (), 0)
HTTP = HttpRequest("POST", "/v1/chat/completions", {}, None)
HEADERS = RequestHeaders(HTTP, end_of_stream=False)
CHANGE = Mutation(set_headers=(("x-selected-cluster", "c"),), body=b"new")
KEEP = Mutation(set_headers=(("x-selected-cluster", "c"),))
REFUSE = Reply(400, (), b"no")
BUFFERED = Modes()
DUPLEX = Modes(request=BodyMode.FULL_DUPLEX_STREAMED, response=BodyMode.FULL_DUPLEX_STREAMED)
EARLY = Modes(request=BodyMode.STREAMED, sends_body_early=True)
STREAMED = Modes(request=BodyMode.STREAMED)


def exchange(modes: Modes = BUFFERED, *, wants: bool = True, limit: int = 1000) -> Exchange:
    return Exchange(modes, lambda _: wants, limit)


def decide(body: bytes | None, *, more: bool = False) -> Decide:
    return Decide(HttpRequest("POST", "/v1/chat/completions", {}, body, more))


def mutate(phase: Phase, mutation: Mutation, *, skip_body: bool = False) -> Mutate:
    return Mutate(phase, mutation, DECISION, skip_body=skip_body)


def body(data: bytes, *, end: bool = False) -> RequestBody:
    return RequestBody(data, end_of_stream=end)


class TestBuffered:
    def test_headers_go_on_at_once_and_the_body_brings_the_decision(self) -> None:
        it = exchange()
        assert it.receive(HEADERS) == [Continue(Phase.REQUEST_HEADERS)]
        assert it.receive(body(b"old", end=True)) == [decide(b"old")]
        assert it.answer(Answer(DECISION, CHANGE)) == [mutate(Phase.REQUEST_BODY, CHANGE)]
        assert it.receive(ResponseHeaders(end_of_stream=False)) == [Continue(Phase.RESPONSE_HEADERS)]

    def test_a_request_that_ends_with_its_headers_is_decided_there(self) -> None:
        it = exchange()
        assert it.receive(RequestHeaders(HTTP, end_of_stream=True)) == [decide(None)]
        assert it.answer(Answer(DECISION, KEEP)) == [mutate(Phase.REQUEST_HEADERS, KEEP)]

    def test_a_body_that_is_not_wanted_is_not_asked_for(self) -> None:
        it = exchange(wants=False)
        assert it.receive(HEADERS) == [decide(None, more=True)]
        assert it.answer(Answer(DECISION, Mutation())) == [mutate(Phase.REQUEST_HEADERS, Mutation(), skip_body=True)]
        # Envoy was not allowed to skip it: it passes.
        assert it.receive(body(b"x", end=True)) == [Continue(Phase.REQUEST_BODY)]

    def test_the_body_is_whole_even_where_trailers_end_the_stream(self) -> None:
        it = exchange()
        it.receive(HEADERS)
        assert it.receive(body(b"old")) == [decide(b"old")]
        assert it.answer(Answer(DECISION, CHANGE)) == [mutate(Phase.REQUEST_BODY, CHANGE)]
        assert it.receive(RequestTrailers()) == [Continue(Phase.REQUEST_TRAILERS)]

    def test_trailers_without_a_body_go_on(self) -> None:
        it = exchange()
        it.receive(HEADERS)
        assert it.receive(RequestTrailers()) == [Continue(Phase.REQUEST_TRAILERS)]

    def test_a_refusal_ends_the_conversation(self) -> None:
        it = exchange()
        it.receive(HEADERS)
        it.receive(body(b"old", end=True))
        assert it.answer(Answer(DECISION, REFUSE)) == [Respond(REFUSE, DECISION)]
        assert it.finished
        assert it.receive(ResponseHeaders(end_of_stream=True)) == []

    def test_envoys_own_answer_to_a_body_above_its_limit_needs_no_decision(self) -> None:
        it = exchange()
        it.receive(HEADERS)
        assert it.receive(ResponseHeaders(end_of_stream=False)) == [Continue(Phase.RESPONSE_HEADERS)]
        assert it.receive(ResponseBody(b"413", end_of_stream=True)) == [Continue(Phase.RESPONSE_BODY)]

    def test_a_body_above_the_limit_is_handed_over_to_be_refused(self) -> None:
        it = exchange(limit=2)
        it.receive(HEADERS)
        assert it.receive(body(b"long", end=True)) == [decide(b"long")]


class TestFullDuplex:
    def test_headers_are_held_and_the_body_is_streamed_back(self) -> None:
        it = exchange(DUPLEX)
        assert it.receive(HEADERS) == []
        assert it.receive(body(b"o")) == []
        assert it.receive(body(b"ld", end=True)) == [decide(b"old")]
        assert it.answer(Answer(DECISION, CHANGE)) == [
            mutate(Phase.REQUEST_HEADERS, Mutation(CHANGE.set_headers)),
            StreamChunk(Phase.REQUEST_BODY, b"new", end_of_stream=True),
        ]

    def test_an_unchanged_body_is_streamed_back_too(self) -> None:
        it = exchange(DUPLEX)
        it.receive(HEADERS)
        it.receive(body(b"old", end=True))
        assert it.answer(Answer(DECISION, KEEP))[1:] == [StreamChunk(Phase.REQUEST_BODY, b"old", end_of_stream=True)]

    def test_a_long_body_goes_in_pieces_of_which_the_last_alone_ends_it(self) -> None:
        it = exchange(DUPLEX, limit=10**9)
        it.receive(HEADERS)
        long = bytes(STREAM_CHUNK_BYTES + 1)
        it.receive(body(long, end=True))
        pieces = it.answer(Answer(DECISION, KEEP))[1:]
        assert [(len(p.data), p.end_of_stream) for p in pieces if isinstance(p, StreamChunk)] == [
            (STREAM_CHUNK_BYTES, False),
            (1, True),
        ]

    def test_trailers_end_the_body(self) -> None:
        it = exchange(DUPLEX)
        it.receive(HEADERS)
        it.receive(body(b"old"))
        assert it.receive(RequestTrailers()) == [decide(b"old")]
        assert it.answer(Answer(DECISION, CHANGE)) == [
            mutate(Phase.REQUEST_HEADERS, Mutation(CHANGE.set_headers)),
            StreamChunk(Phase.REQUEST_BODY, b"new", end_of_stream=False),
            Continue(Phase.REQUEST_TRAILERS),
        ]

    def test_trailers_without_a_body(self) -> None:
        it = exchange(DUPLEX)
        it.receive(HEADERS)
        assert it.receive(RequestTrailers()) == [decide(b"")]
        assert it.answer(Answer(DECISION, Mutation())) == [
            mutate(Phase.REQUEST_HEADERS, Mutation()),
            Continue(Phase.REQUEST_TRAILERS),
        ]

    def test_a_body_that_is_not_wanted_is_echoed(self) -> None:
        it = exchange(DUPLEX, wants=False)
        it.receive(HEADERS)
        assert it.answer(Answer(DECISION, Mutation())) == [mutate(Phase.REQUEST_HEADERS, Mutation())]
        assert it.receive(body(b"x")) == [StreamChunk(Phase.REQUEST_BODY, b"x", end_of_stream=False)]
        assert it.receive(body(b"", end=True)) == [StreamChunk(Phase.REQUEST_BODY, b"", end_of_stream=True)]

    def test_gathering_stops_above_the_limit(self) -> None:
        it = exchange(DUPLEX, limit=2)
        it.receive(HEADERS)
        assert it.receive(body(b"long")) == [decide(b"long")]
        assert it.answer(Answer(DECISION, REFUSE)) == [Respond(REFUSE, DECISION)]

    def test_the_response_is_echoed(self) -> None:
        it = exchange(DUPLEX)
        it.receive(RequestHeaders(HTTP, end_of_stream=True))
        it.answer(Answer(DECISION, KEEP))
        assert it.receive(ResponseHeaders(end_of_stream=False)) == [Continue(Phase.RESPONSE_HEADERS)]
        assert it.receive(ResponseBody(b"x", end_of_stream=False)) == [
            StreamChunk(Phase.RESPONSE_BODY, b"x", end_of_stream=False)
        ]
        assert it.receive(ResponseTrailers()) == [Continue(Phase.RESPONSE_TRAILERS)]


class TestStreamed:
    def test_sent_early_it_is_held_and_the_last_chunk_carries_the_new_body(self) -> None:
        it = exchange(EARLY)
        assert it.receive(HEADERS) == []
        assert it.receive(body(b"o")) == []
        assert it.receive(body(b"ld", end=True)) == [decide(b"old")]
        assert it.answer(Answer(DECISION, CHANGE)) == [
            mutate(Phase.REQUEST_HEADERS, Mutation(CHANGE.set_headers)),
            ReplaceChunk(Phase.REQUEST_BODY, b""),
            ReplaceChunk(Phase.REQUEST_BODY, b"new"),
        ]

    def test_unchanged_chunks_just_go_on(self) -> None:
        it = exchange(EARLY)
        it.receive(HEADERS)
        it.receive(body(b"o"))
        it.receive(body(b"ld", end=True))
        assert it.answer(Answer(DECISION, KEEP))[1:] == [Continue(Phase.REQUEST_BODY), Continue(Phase.REQUEST_BODY)]

    def test_else_the_headers_cannot_wait_so_the_body_is_not_read(self) -> None:
        it = exchange(STREAMED)
        assert it.receive(HEADERS) == [decide(None, more=True)]
        assert it.answer(Answer(DECISION, Mutation())) == [mutate(Phase.REQUEST_HEADERS, Mutation(), skip_body=True)]
        assert it.receive(body(b"x")) == [Continue(Phase.REQUEST_BODY)]
        assert it.receive(body(b"", end=True)) == [Continue(Phase.REQUEST_BODY)]


@pytest.mark.parametrize("mode", [BodyMode.NONE, BodyMode.BUFFERED_PARTIAL])
def test_modes_that_cannot_be_read_are_decided_on_the_headers(mode: BodyMode) -> None:
    it = exchange(Modes(request=mode))
    assert it.receive(HEADERS) == [decide(None, more=True)]
    [command] = it.answer(Answer(DECISION, Mutation()))
    assert isinstance(command, Mutate)
    assert command.phase is Phase.REQUEST_HEADERS


def test_headers_that_envoy_does_not_show_leave_the_body_alone() -> None:
    it = exchange()
    assert it.receive(body(b"x", end=True)) == [Continue(Phase.REQUEST_BODY)]


def test_messages_of_unknown_kind_are_passed_over() -> None:
    it = exchange()
    assert it.receive(Unknown()) == []
    assert it.receive(HEADERS) == [Continue(Phase.REQUEST_HEADERS)]


def test_an_observed_stream_is_decided_and_never_answered() -> None:
    it = exchange(Modes(observing=True))
    assert it.receive(HEADERS) == []
    assert it.receive(body(b"old", end=True)) == [decide(b"old")]
    assert it.answer(Answer(DECISION, CHANGE)) == []
    assert it.receive(ResponseHeaders(end_of_stream=True)) == []


@pytest.mark.parametrize(
    ("before", "event"),
    [
        ([HEADERS], HEADERS),
        ([RequestHeaders(HTTP, end_of_stream=True)], body(b"x")),
        ([RequestHeaders(HTTP, end_of_stream=True)], RequestTrailers()),
        ([HEADERS, RequestTrailers()], RequestTrailers()),
        ([HEADERS, RequestTrailers()], body(b"x")),
        ([ResponseHeaders(end_of_stream=False)], ResponseHeaders(end_of_stream=False)),
        ([ResponseHeaders(end_of_stream=True)], ResponseBody(b"x", end_of_stream=True)),
        ([ResponseTrailers()], ResponseTrailers()),
    ],
)
def test_what_may_not_come_is_told_apart(before: list[Event], event: Event) -> None:
    it = exchange()
    for earlier in before:
        if any(isinstance(command, Decide) for command in it.receive(earlier)):
            it.answer(Answer(DECISION, KEEP))
    with pytest.raises(RemoteProtocolError):
        it.receive(event)


def test_a_decision_is_owed_before_the_next_message() -> None:
    it = exchange()
    it.receive(RequestHeaders(HTTP, end_of_stream=True))
    with pytest.raises(LocalProtocolError):
        it.receive(ResponseHeaders(end_of_stream=True))


def test_a_decision_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        exchange().answer(Answer(DECISION, KEEP))


@given(
    data=st.binary(max_size=300),
    cuts=st.lists(st.integers(0, 300), max_size=6),
    modes=st.sampled_from([BUFFERED, DUPLEX, EARLY, STREAMED, Modes(request=BodyMode.NONE)]),
    trailers=st.booleans(),
    wants=st.booleans(),
    change=st.booleans(),
)
def test_each_message_gets_one_answer_and_no_byte_is_lost(
    *, data: bytes, cuts: list[int], modes: Modes, trailers: bool, wants: bool, change: bool
) -> None:
    """However the body is cut: one answer per message where one is owed, in order, and the right bytes upstream."""
    at = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[a:b] for a, b in pairwise(at)] or [b""]
    if modes.request is BodyMode.BUFFERED:
        pieces = [data]
    events: list[Event] = [HEADERS]
    if modes.request is not BodyMode.NONE:
        events += [body(p, end=not trailers and i == len(pieces) - 1) for i, p in enumerate(pieces)]
        events += [RequestTrailers()] * trailers
    it, said, read = exchange(modes, wants=wants), list[Command](), None
    for event in events:
        for command in it.receive(event):
            if isinstance(command, Decide):
                read = command.http.body
                said += it.answer(Answer(DECISION, CHANGE if change and read is not None else KEEP))
            else:
                said.append(command)
    phases = [command.phase for command in said if not isinstance(command, Respond | Decide)]
    assert phases == sorted(phases, key=list(Phase).index), "answers come in the order of the messages"
    assert phases.count(Phase.REQUEST_HEADERS) == 1
    assert phases.count(Phase.REQUEST_TRAILERS) == (trailers and modes.request is not BodyMode.NONE)
    assert upstream(data, pieces, said, modes) == (b"new" if change and read is not None else data)


def upstream(data: bytes, pieces: list[bytes], said: list[Command], modes: Modes) -> bytes:
    """The body that Envoy sends on, by its rules for each mode."""
    if modes.request is BodyMode.NONE:
        return data
    answered = [c for c in said if not isinstance(c, Respond | Decide) and c.phase is Phase.REQUEST_BODY]
    if modes.request is BodyMode.FULL_DUPLEX_STREAMED:
        return b"".join(c.data for c in answered if isinstance(c, StreamChunk))
    sent = []
    for piece, command in zip(pieces, answered, strict=True):
        match command:
            case ReplaceChunk(_, replacement):
                sent.append(replacement)
            case Mutate(_, Mutation(_, _, bytes() as replacement)):
                sent.append(replacement)
            case _:
                sent.append(piece)
    return b"".join(sent)
