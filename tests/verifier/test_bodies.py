from __future__ import annotations

import json

from extproc_router.attempts import Heard, Verification
from extproc_router.extproc.commands import Phase, ReplaceChunk
from extproc_router.verifier.assessing import Weigh, Weighed
from extproc_router.verifier.bodies import MAX_STREAM_BYTES, PASS, Flow, Whole

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 2, ("weak",), ((1.0, 2.0),), strips_logprobs=True)
BARE = Verification("d", "r", "chat_completions", True, 0.5, 2, ("weak",), ((1.0, 2.0),))


LOGPROBS = b'{"content": [{"logprob": -0.5}]}'


def always(_: int) -> bool:
    return True


def never(_: int) -> bool:
    return False


def replaced(data: bytes) -> ReplaceChunk:
    return ReplaceChunk(Phase.RESPONSE_BODY, data)


def event(text: str, logprob: float = -0.5) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "logprobs": {"content": [{"logprob": logprob}]}}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


class TestWhole:
    def test_it_is_heard_at_its_end(self) -> None:
        body = Whole(ASKED)
        assert not body.hear(b"ab", end=False)
        assert body.hear(b"cd", end=True)
        assert body.size == 4
        assert body.weigh(judged=True, ended=True) == Weigh(ASKED, b"abcd")

    def test_what_is_stripped_goes_with_the_last_chunk(self) -> None:
        body = Whole(ASKED)
        body.hear(b"ab", end=False)
        body.hear(b"cd", end=True)
        assert body.release(Weighed(Heard(text="x"), b"abd")) == ([replaced(b""), replaced(b"abd")], b"abd")
        assert body.heard.text == "x"
        assert body.size == 0

    def test_what_is_not_changed_passes(self) -> None:
        body = Whole(ASKED)
        body.hear(b"ab", end=False)
        body.hear(b"cd", end=True)
        assert body.release(Weighed(Heard(), b"abcd")) == ([PASS, PASS], b"abcd")

    def test_what_is_given_up_passes(self) -> None:
        body = Whole(ASKED)
        body.hear(b"ab", end=False)
        assert body.release(None) == ([PASS], b"ab")

    def test_an_answer_of_no_chunks_owes_none(self) -> None:
        assert Whole(ASKED).release(Weighed(Heard(), b"")) == ([], b"")


class TestFlow:
    def test_it_is_judged_by_its_first_tokens(self) -> None:
        body = Flow(ASKED)
        assert not body.hear(event("a"), end=False)
        assert body.hear(event("b"), end=False)
        weigh = body.weigh(judged=True, ended=False)
        assert (weigh.body, weigh.heard.text, weigh.partial) == (None, "ab", True)

    def test_or_by_all_of_it(self) -> None:
        body = Flow(ASKED)
        assert body.hear(event("a"), end=True)
        assert not body.weigh(judged=True, ended=True).partial

    def test_what_was_held_is_stripped_chunk_by_chunk(self) -> None:
        body = Flow(ASKED)
        first, second = event("a")[:20], event("a")[20:] + event("b")
        body.hear(first, end=False)
        body.hear(second, end=False)
        chunks, passing = body.release(None)
        assert chunks == [replaced(b""), replaced(passing)]
        assert passing.count(b'"logprobs": null') == 2
        assert body.pass_on(b"data: [DONE]\n\n", end=True, may_hold=never) == (PASS, False)

    def test_where_nothing_is_stripped_chunks_pass_wherever_they_end(self) -> None:
        body = Flow(BARE)
        body.hear(event("a")[:20], end=False)
        body.hear(event("a")[20:], end=False)
        assert body.release(None) == ([PASS, PASS], event("a"))
        assert body.pass_on(b"dat", end=False, may_hold=never) == (PASS, False)
        assert body.heard.text == "a"

    def test_a_long_event_that_there_is_no_room_for_goes_on_as_it_comes(self) -> None:
        body = Flow(ASKED)
        long = event("x" * 100_000)
        first, second = event("a") + long[:40_000], long[40_000:-2]
        chunk, leaves = body.pass_on(first, end=False, may_hold=never)
        assert (chunk, leaves) == (replaced(event("a").replace(LOGPROBS, b"null")), False)
        assert body.pass_on(second, end=False, may_hold=always) == (replaced(b""), False)
        assert body.pass_on(b"\n", end=False, may_hold=never) == (replaced(long[:-1]), False)
        assert body.pass_on(event("b"), end=False, may_hold=always) == (PASS, False)

    def test_of_a_very_long_stream_the_rest_is_left(self) -> None:
        body = Flow(ASKED)
        one, begun = event("x" * (MAX_STREAM_BYTES // 10)), event("cut")[:9]
        answers = [body.pass_on(one, end=False, may_hold=never) for _ in range(9)]
        assert [leaves for _, leaves in answers] == [False] * 9
        last = replaced(one.replace(LOGPROBS, b"null") + begun)
        assert body.pass_on(one + begun, end=False, may_hold=never) == (last, True)
