"""Conversations as scripts: what Envoy says, and what must be said back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router import answers
from extproc_router.attempts import Heard, Verdict, Verification
from extproc_router.errors import LocalProtocolError, RemoteProtocolError
from extproc_router.extproc.commands import Continue, Phase, ReplaceChunk
from extproc_router.extproc.events import RequestBody, RequestTrailers, ResponseBody, ResponseTrailers, Unknown
from extproc_router.extproc.verifying import Answered, Attempted, Head, Serve, Unasked
from extproc_router.types import Reply
from extproc_router.verifier.assessing import Weigh, Weighed, weigh
from extproc_router.verifier.bodies import PASS
from extproc_router.verifier.exchange import Exchange, Leave
from extproc_router.verifier.judged import Judged, Outcome
from extproc_router.verifier.keeping import MAX_ANSWER_BYTES, SECONDS, Keeper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.extproc.verifying import Event
    from extproc_router.verifier.exchange import Command

ASKED = Verification(
    decision_id="d",
    rule="r",
    api="chat_completions",
    stream=False,
    accept_at=0.5,
    first_tokens=3,
    models=("weak", "strong", "weak"),
    costs=((1.0, 2.0), (10.0, 20.0), (1.0, 2.0)),
    strips_logprobs=True,
    strips_usage=True,
)
JSON = Answered(200, "application/json", compressed=False, sized=True, end_of_stream=False)
SSE = Answered(200, "text/event-stream", compressed=False, sized=False, end_of_stream=False)
GO_ON = Continue(Phase.RESPONSE_HEADERS)
ESCALATE = ("x-cascade-escalate", "1")


def choice(**members: object) -> dict[str, object]:
    return {"index": 0, **members}


def logprobs(tokens: int) -> dict[str, object]:
    return {"content": [{"token": "x", "logprob": -0.5}] * tokens}


WHOLE = json.dumps(
    {
        "choices": [choice(message={"content": "the answer"}, logprobs=logprobs(4), finish_reason="stop")],
        "usage": {"prompt_tokens": 10, "completion_tokens": 4},
    }
).encode()
EVENTS = [
    *({"choices": [choice(delta={"content": f"w{n} "}, logprobs=logprobs(1))]} for n in range(8)),
    {"choices": [choice(delta={}, logprobs=None, finish_reason="stop")]},
    {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 8}},
]
STREAM = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in EVENTS) + b"data: [DONE]\n\n"
STRIPPED = answers.strip("chat_completions", WHOLE, logprobs=True)


class Judge:
    """Says what it is told to."""

    def __init__(self, *, accepts: bool = True) -> None:
        self.accepts = accepts

    def judge(self, heard: Heard, asked: Verification, *, partial: bool = False) -> Verdict:
        good = 0.9 if self.accepts else 0.1
        return Verdict(good, self.accepts, () if self.accepts else ("confidence",), {"hedges": 0.0})


class Lab:
    """Envoy and a server around exchanges that share a keeper."""

    def __init__(self, *, accepts: bool = True, fails: bool = False, room: int = 10**9) -> None:
        self.now = 0.0
        self.keeper = Keeper(lambda: self.now)
        self.judge: Any = Judge(accepts=accepts)
        self.fails = fails
        self.room = room
        self.weighed: list[Weigh] = []

    def exchange(self) -> Exchange:
        return Exchange(self.keeper, lambda size: size <= self.room)

    def say(self, exchange: Exchange, *events: Event) -> list[Command]:
        said: list[Command] = []
        for event in events:
            commands = exchange.receive(event)
            if commands and isinstance(commands[-1], Weigh):
                wanted = commands.pop()
                assert isinstance(wanted, Weigh)
                self.weighed.append(wanted)
                weighed = weigh(self.judge, wanted)
                if self.fails:
                    weighed = replace(weighed, verdict=None, failure=ValueError())
                commands += exchange.weighed(weighed)
            said += commands
        return said

    def attempt(self, number: int, *events: Event, asked: Verification = ASKED) -> tuple[list[Command], list[Judged]]:
        """Have one attempt made; returns what was said, but for the first answer, and what was told."""
        exchange = self.exchange()
        said = self.say(exchange, Attempted(number, asked, 400), *events)
        return said[1:] if said[:1] == [Continue(Phase.REQUEST_HEADERS)] else said, [*exchange.closed()]


def body(data: bytes, *, end: bool = False) -> ResponseBody:
    return ResponseBody(data, end_of_stream=end)


def chunks(data: bytes, size: int) -> list[ResponseBody]:
    return [body(data[at : at + size], end=at + size >= len(data)) for at in range(0, len(data), size)]


def verdicts(told: list[Judged]) -> list[tuple[str, list[str]]]:
    return [(judged.verdict.value, [paid.model for paid in judged.attempts]) for judged in told]


class TestWholeAnswers:
    def test_a_good_one_is_held_and_served_without_what_nobody_asked_for(self) -> None:
        lab = Lab()
        said, told = lab.attempt(1, JSON, body(WHOLE[:50]), body(WHOLE[50:], end=True))
        assert said == [
            Head((("content-length", str(len(STRIPPED))),)),
            ReplaceChunk(Phase.RESPONSE_BODY, b""),
            ReplaceChunk(Phase.RESPONSE_BODY, STRIPPED),
        ]
        [judged] = told
        assert (judged.verdict, judged.good, judged.features) == (Outcome.ACCEPTED, 0.9, {"hedges": 0.0})
        [paid] = judged.attempts
        assert (paid.prompt_tokens, paid.completion_tokens, paid.counted) == (10, 4, True)
        assert len(lab.keeper) == 0

    def test_one_that_stays_as_it_is_passes(self) -> None:
        said, _ = Lab().attempt(1, JSON, body(WHOLE, end=True), asked=replace(ASKED, strips_logprobs=False))
        assert said == [GO_ON, PASS]

    def test_a_doubted_one_is_said_to_be_and_follows_all_the_same(self) -> None:
        lab = Lab(accepts=False)
        said, told = lab.attempt(1, JSON, body(WHOLE, end=True))
        assert said == [
            Head((ESCALATE, ("content-length", str(len(STRIPPED))))),
            ReplaceChunk(Phase.RESPONSE_BODY, STRIPPED),
        ]
        assert told == []
        assert lab.keeper.held == len(STRIPPED)

    def test_the_next_models_flows_and_both_are_paid(self) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, JSON, body(WHOLE, end=True))
        said, told = lab.attempt(2, JSON, body(WHOLE[:9]), body(WHOLE[9:], end=True))
        assert said == [GO_ON, PASS, PASS]
        assert verdicts(told) == [("escalated", ["weak", "strong"])]
        assert [paid.cost_usd for paid in told[0].attempts] == pytest.approx([18e-6, 180e-6])
        assert (len(lab.keeper), lab.keeper.held) == (0, 0)

    @pytest.mark.parametrize("events", [[replace(JSON, status=503)], []])
    def test_where_the_next_model_fails_the_kept_answer_is_served(self, events: list[Event]) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, JSON, body(WHOLE, end=True))
        said, told = lab.attempt(2, *events)
        assert told == []
        assert said == ([Head((ESCALATE,)), Leave()] if events else [])
        said, told = lab.attempt(3)
        assert said == [Serve(Reply(200, (("content-type", "application/json"),), STRIPPED))]
        assert verdicts(told) == [("kept", ["weak"])]
        assert len(lab.keeper) == 0

    @pytest.mark.parametrize("status", [307, 400, 401, 404])
    @pytest.mark.parametrize("answer", [JSON, SSE])
    def test_what_the_next_model_refuses_the_first_has_answered(self, status: int, answer: Answered) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, answer, body(WHOLE if answer is JSON else STREAM, end=True))
        assert lab.attempt(2, replace(JSON, status=status)) == ([Head((ESCALATE,)), Leave()], [])
        said, told = lab.attempt(3)
        assert isinstance(said[0], Serve)
        assert verdicts(told) == [("kept", ["weak"])]

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_where_nobody_has_answered_a_refusal_goes_on(self, number: int) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, JSON)
        assert lab.attempt(number, replace(JSON, status=401)) == ([GO_ON, Leave()], [])

    def test_nor_is_the_first_asked_for_ever(self) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, SSE, *chunks(STREAM, len(STREAM) // 2))
        assert lab.attempt(3, replace(JSON, status=401)) == ([GO_ON, Leave()], [])

    def test_attempts_that_overlap_are_told_once(self) -> None:
        """Envoy begins the third before we hear that the second is over."""
        lab = Lab(accepts=False)
        lab.attempt(1, JSON, body(WHOLE, end=True))
        second = lab.exchange()
        lab.say(second, Attempted(2, ASKED, 0))
        said, told = lab.attempt(3)
        assert isinstance(said[0], Serve)
        assert verdicts([*told, *second.closed()]) == [("kept", ["weak"])]
        assert len(lab.keeper) == 0

    def test_where_nothing_was_kept_the_first_models_second_answer_is_stripped(self) -> None:
        lab = Lab(accepts=False)
        said, told = lab.attempt(3, JSON, body(WHOLE, end=True))
        assert said[-1] == ReplaceChunk(Phase.RESPONSE_BODY, STRIPPED)
        assert [wanted.judged for wanted in lab.weighed] == [False]
        assert verdicts(told) == [("unjudged", ["weak"])]

    def test_no_answer_of_another_decision_is_served(self) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, JSON, body(WHOLE, end=True))
        said, _ = lab.attempt(3, asked=replace(ASKED, decision_id="e"))
        assert said == []

    def test_a_fallback_is_no_escalation(self) -> None:
        lab = Lab()
        assert lab.attempt(1, replace(JSON, status=503)) == ([GO_ON, Leave()], [])
        _, told = lab.attempt(2, JSON, body(WHOLE, end=True))
        assert verdicts(told) == [("unjudged", ["strong"])]

    def test_a_doubt_that_nobody_follows_is_told_in_the_end(self) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, JSON, body(WHOLE, end=True))
        lab.now += SECONDS
        assert verdicts(lab.keeper.sweep()) == [("doubted", ["weak"])]

    def test_a_judge_that_fails_lets_the_answer_pass_stripped(self) -> None:
        said, told = Lab(accepts=False, fails=True).attempt(1, JSON, body(WHOLE, end=True))
        assert said[-1] == ReplaceChunk(Phase.RESPONSE_BODY, STRIPPED)
        assert verdicts(told) == [("failed", ["weak"])]
        assert told[0].good is None

    def test_trailers_end_an_answer_too(self) -> None:
        said, _ = Lab().attempt(1, JSON, body(WHOLE), ResponseTrailers())
        assert said[1:] == [ReplaceChunk(Phase.RESPONSE_BODY, STRIPPED), Continue(Phase.RESPONSE_TRAILERS)]
        said, told = Lab().attempt(2, JSON, body(WHOLE), ResponseTrailers())
        assert said == [GO_ON, PASS, Continue(Phase.RESPONSE_TRAILERS)]
        assert told[0].attempts[0].counted


class TestWhatIsNotJudged:
    @pytest.mark.parametrize(
        "event",
        [replace(JSON, status=400), replace(JSON, status=204, end_of_stream=True), replace(JSON, end_of_stream=True)],
    )
    def test_what_is_no_answer_goes_on_unheard(self, event: Answered) -> None:
        assert Lab().attempt(1, event) == ([GO_ON, Leave()], [])

    def test_what_is_compressed_goes_on_and_is_told(self) -> None:
        said, told = Lab().attempt(1, replace(JSON, compressed=True))
        assert said == [GO_ON, Leave()]
        assert verdicts(told) == [("unjudged", ["weak"])]
        assert (told[0].attempts[0].prompt_tokens, told[0].attempts[0].counted) == (100, False)

    def test_what_is_too_long_goes_on(self) -> None:
        half = bytes(MAX_ANSWER_BYTES // 2 + 1)
        said, told = Lab().attempt(1, JSON, body(half), body(half))
        assert said == [GO_ON, PASS, PASS, Leave()]
        assert verdicts(told) == [("unjudged", ["weak"])]

    def test_what_there_is_no_room_for_goes_on(self) -> None:
        said, _ = Lab(room=10).attempt(1, JSON, body(b"x" * 11))
        assert said == [GO_ON, PASS, Leave()]
        said, told = Lab(room=10).attempt(2, JSON, body(b"x" * 11))
        assert said == [GO_ON, PASS, Leave()]
        assert verdicts(told) == [("unjudged", ["strong"])]

    def test_a_stream_that_there_is_no_room_for_flows_stripped(self) -> None:
        said, told = Lab(room=10).attempt(1, SSE, *chunks(STREAM, 100))
        assert b'"logprob"' not in passed(STREAM, 100, said)
        assert verdicts(told) == [("unjudged", ["weak"])]
        assert told[0].attempts[0].counted

    @pytest.mark.parametrize("event", [Unasked(), Attempted(1, replace(ASKED, api="of tomorrow"), 0), JSON])
    def test_where_nothing_can_be_known_we_leave(self, event: Event) -> None:
        exchange = Lab().exchange()
        assert exchange.receive(event) == [Leave()]
        assert exchange.finished
        assert exchange.receive(body(b"in flight")) == []
        assert exchange.closed() == ()


class TestStreams:
    def test_a_good_one_flows_after_its_first_tokens(self) -> None:
        lab = Lab()
        exchange = lab.exchange()
        pieces = STREAM.split(b"\n\n")[:-1]
        assert lab.say(exchange, Attempted(1, ASKED, 0), SSE) == [Continue(Phase.REQUEST_HEADERS)]
        assert lab.say(exchange, *(body(piece + b"\n\n") for piece in pieces[:2])) == []
        held = lab.say(exchange, body(pieces[2] + b"\n\n"))
        assert held[0] == GO_ON
        assert len(held) == 4
        assert lab.weighed[0].partial
        [flows] = lab.say(exchange, body(pieces[3] + b"\n\n"))
        assert isinstance(flows, ReplaceChunk)
        rest = b"".join(piece + b"\n\n" for piece in pieces[4:])
        lab.say(exchange, body(rest, end=True))
        [judged] = exchange.closed()
        assert judged.verdict is Outcome.ACCEPTED
        assert (judged.attempts[0].completion_tokens, judged.attempts[0].counted) == (8, True)

    def test_a_doubted_one_is_not_kept_since_its_end_is_not_known(self) -> None:
        lab = Lab(accepts=False)
        said, told = lab.attempt(1, SSE, *chunks(STREAM, len(STREAM) // 2))
        assert said[0] == Head((ESCALATE,))
        assert b'"logprob"' not in passed(STREAM, len(STREAM) // 2, said)
        assert (told, lab.keeper.held, len(lab.keeper)) == ([], 0, 1)
        said, told = lab.attempt(3, SSE, *chunks(STREAM, 100))
        assert said[0] == GO_ON
        assert b'"logprob"' not in passed(STREAM, 100, said)
        assert verdicts(told) == [("kept", ["weak", "weak"])]

    @pytest.mark.parametrize("end", [True, False], ids=["by HTTP", "by its last event"])
    def test_a_doubted_one_that_has_ended_is_kept(self, end: bool) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, SSE, body(STREAM, end=end))
        said, told = lab.attempt(3)
        [served] = said
        assert isinstance(served, Serve)
        assert served.reply.headers == (("content-type", "text/event-stream"),)
        assert b'"logprob"' not in served.reply.body
        assert served.reply.body.endswith(b"data: [DONE]\n\n")
        assert verdicts(told) == [("kept", ["weak"])]

    def test_its_length_is_not_stated_where_it_changes(self) -> None:
        said, _ = Lab().attempt(1, replace(SSE, sized=True), *chunks(STREAM, 500))
        assert said[0] == Head((), ("content-length",))
        said, _ = Lab().attempt(2, replace(SSE, sized=True), *chunks(STREAM, 500))
        assert said[0] == Head((), ("content-length",))

    def test_a_stream_of_nothing_but_comments_is_held_up_to_a_bound(self) -> None:
        comment = b": wait\n\n" * 50_000
        said, _ = Lab().attempt(1, SSE, body(comment), body(comment), body(comment))
        assert said == [GO_ON, PASS, PASS, PASS]

    def test_a_long_event_that_there_is_no_room_for_goes_on_as_it_comes(self) -> None:
        events = b"data: " + b"x" * 100_000 + b"\n\n" + STREAM
        said, told = Lab(room=90_000).attempt(2, SSE, *chunks(events, 99_000))
        assert passed(events, 99_000, said) == events
        assert verdicts(told) == [("unjudged", ["strong"])]

    def test_trailers_end_it_too(self) -> None:
        said, told = Lab().attempt(1, SSE, body(STREAM[:100]), ResponseTrailers())
        assert said[0] == GO_ON
        assert said[-1] == Continue(Phase.RESPONSE_TRAILERS)
        assert verdicts(told) == [("accepted", ["weak"])]
        said, _ = Lab().attempt(2, SSE, body(STREAM[:100]), ResponseTrailers())
        assert said[-1] == Continue(Phase.RESPONSE_TRAILERS)


class TestClientsThatLeave:
    def test_before_anything_was_heard_nothing_is_told(self) -> None:
        lab = Lab()
        assert lab.attempt(1) == ([], [])
        assert len(lab.keeper) == 0

    def test_while_the_answer_is_held_it_may_be_a_slow_model_too(self) -> None:
        lab = Lab()
        _, told = lab.attempt(1, SSE, body(STREAM[:200]))
        assert told == []
        assert lab.keeper.held == 0
        lab.now += SECONDS
        assert verdicts(lab.keeper.sweep()) == [("unjudged", ["weak"])]

    def test_a_slow_models_part_is_paid_with_the_next_ones(self) -> None:
        lab = Lab()
        lab.attempt(1, SSE, body(STREAM[:200]))
        _, told = lab.attempt(2, JSON, body(WHOLE, end=True))
        assert verdicts(told) == [("unjudged", ["weak", "strong"])]

    def test_in_an_answer_what_was_heard_is_told(self) -> None:
        lab = Lab()
        _, told = lab.attempt(1, SSE, body(STREAM[: len(STREAM) // 2]))
        assert verdicts(told) == [("accepted", ["weak"])]
        assert not told[0].attempts[0].counted

    def test_in_the_second_attempts_answer_nothing_stays_behind(self) -> None:
        lab = Lab(accepts=False)
        lab.attempt(1, JSON, body(WHOLE, end=True))
        _, told = lab.attempt(2, JSON, body(WHOLE[:40]))
        assert verdicts(told) == [("escalated", ["weak", "strong"])]
        assert (len(lab.keeper), lab.keeper.held) == (0, 0)

    def test_with_all_of_an_answer_before_we_have_read_it(self) -> None:
        """Envoy is gone as soon as the client has its last byte; that was paid for all the same."""
        lab = Lab(accepts=False)
        lab.attempt(1, JSON, body(WHOLE, end=True))
        exchange = lab.exchange()
        lab.say(exchange, Attempted(2, ASKED, 400), JSON)
        exchange.receive(body(WHOLE, end=True))
        [judged] = exchange.closed()
        assert [(paid.completion_tokens, paid.counted) for paid in judged.attempts] == [(4, True), (4, True)]

    def test_closing_twice_tells_nothing_new(self) -> None:
        lab = Lab()
        exchange = lab.exchange()
        lab.say(exchange, Attempted(1, ASKED, 0), JSON, body(WHOLE, end=True))
        assert exchange.closed() == exchange.closed()


class TestBrokenRules:
    def test_messages_of_the_request_are_answered_where_envoy_sends_them(self) -> None:
        exchange = Lab().exchange()
        exchange.receive(Attempted(1, ASKED, 0))
        assert exchange.receive(RequestBody(b"x", end_of_stream=False)) == [Continue(Phase.REQUEST_BODY)]
        assert exchange.receive(RequestTrailers()) == [Continue(Phase.REQUEST_TRAILERS)]
        assert exchange.receive(Unknown()) == []

    @pytest.mark.parametrize(
        "events",
        [
            (Attempted(1, ASKED, 0), Attempted(1, ASKED, 0)),
            (Attempted(1, ASKED, 0), JSON, JSON),
            (Attempted(1, ASKED, 0), body(b"x")),
            (Attempted(1, ASKED, 0), ResponseTrailers()),
            (Attempted(1, ASKED, 0), SSE, body(b"", end=True), body(b"")),
            (Attempted(1, ASKED, 0), SSE, body(b"", end=True), ResponseTrailers()),
        ],
    )
    def test_what_may_not_come_is_refused(self, events: tuple[Event, ...]) -> None:
        lab = Lab()
        with pytest.raises(RemoteProtocolError):
            lab.say(lab.exchange(), *events)

    def test_a_verdict_is_owed_before_the_next_message(self) -> None:
        exchange = Lab().exchange()
        with pytest.raises(LocalProtocolError):
            exchange.weighed(Weighed(Heard(), None))
        exchange.receive(Attempted(1, ASKED, 0))
        exchange.receive(JSON)
        [wanted] = exchange.receive(body(WHOLE, end=True))
        assert isinstance(wanted, Weigh)
        with pytest.raises(LocalProtocolError):
            exchange.receive(ResponseTrailers())


def passed(data: bytes, size: int, said: list[Command]) -> bytes:
    """What the client gets of a body that came in chunks."""
    came = iter(chunks(data, size))
    return b"".join(_passed(came, said))


def _passed(came: Iterator[ResponseBody], said: list[Command]) -> Iterator[bytes]:
    for command in said:
        if isinstance(command, ReplaceChunk):
            next(came)
            yield command.data
        elif command == PASS:
            yield next(came).data
    yield from (chunk.data for chunk in came)  # we have left


def phase(command: Command) -> Phase:
    if isinstance(command, Continue | ReplaceChunk):
        return command.phase
    assert isinstance(command, Head)
    return Phase.RESPONSE_HEADERS


@st.composite
def cut(draw: st.DrawFn, data: bytes) -> list[bytes]:
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@given(
    data=st.data(),
    number=st.integers(1, 4),
    sse=st.booleans(),
    accepts=st.booleans(),
    trailers=st.booleans(),
    strips=st.booleans(),
    tokens=st.integers(1, 20),
    room=st.sampled_from([10**9, 300]),
)
def test_all_that_is_owed_is_said_once_and_in_order(
    data: st.DataObject,
    *,
    number: int,
    sse: bool,
    accepts: bool,
    trailers: bool,
    strips: bool,
    tokens: int,
    room: int,
) -> None:
    """However an answer is cut into chunks: each message has one answer, and the client gets the whole answer."""
    lab = Lab(accepts=accepts, room=room)
    asked = replace(ASKED, strips_logprobs=strips, strips_usage=strips, first_tokens=tokens)
    original = STREAM if sse else WHOLE
    pieces = data.draw(cut(original))
    events = [body(piece, end=place == len(pieces) - 1 and not trailers) for place, piece in enumerate(pieces)]
    answer: list[Event] = [SSE if sse else JSON, *events, *([ResponseTrailers()] if trailers else [])]

    exchange = lab.exchange()
    said = lab.say(exchange, Attempted(number, asked, 0))
    owed = [Phase.REQUEST_HEADERS]
    for event in answer:
        if exchange.finished:
            break
        owed.append(
            Phase.RESPONSE_HEADERS
            if isinstance(event, Answered)
            else Phase.RESPONSE_BODY
            if isinstance(event, ResponseBody)
            else Phase.RESPONSE_TRAILERS
        )
        said += lab.say(exchange, event)
    left = said[-1:] == [Leave()]
    spoken = said[:-1] if left else said
    assert [phase(command) for command in spoken] == owed

    replies = iter(command for command in spoken if phase(command) is Phase.RESPONSE_BODY)
    got = b""
    for event in events:
        reply = next(replies, PASS)
        got += reply.data if isinstance(reply, ReplaceChunk) else event.data
    assert got == expected(original, number, sse=sse, strips=strips, held=bool(lab.weighed))

    told = [*exchange.closed(), *lab.keeper.sweep(everything=True)]
    assert len(told) == 1
    assert lab.keeper.held == 0


def expected(original: bytes, number: int, *, sse: bool, strips: bool, held: bool) -> bytes:
    if not strips:
        return original
    if sse:
        return answers.Stream("chat_completions", strips_logprobs=True, strips_usage=True).feed(original, end=True)
    # Another model is not asked for log-probabilities; attempts past the list are nobody's.
    return STRIPPED if number in {1, 3} and held else original
