from __future__ import annotations

from typing import Any

import msgspec
import pytest
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router.attempts import Verification
from extproc_router.extproc import codec, verifying
from extproc_router.extproc.commands import Continue, Phase, ReplaceChunk
from extproc_router.extproc.events import BodyMode, Modes, ResponseBody
from extproc_router.extproc.verifying import Answered, Attempted, Head, Serve, Unasked
from extproc_router.types import Reply

ASKED = Verification(
    decision_id="d1",
    rule="r",
    api="chat_completions",
    stream=False,
    accept_at=0.5,
    first_tokens=8,
    models=("weak", "strong", "weak"),
    costs=((1.0, 2.0), (10.0, 20.0), (1.0, 2.0)),
    json_schema='{"type": "object"}',
)
TERMS = msgspec.json.encode(ASKED).decode()


def attempt(terms: str | None = TERMS, count: str | None = "1", **headers: str) -> pb.ProcessingRequest:
    message = pb.ProcessingRequest()
    pairs = {":method": "POST", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if count is not None:
        pairs["x-envoy-attempt-count"] = count
    for key, value in pairs.items():
        message.request_headers.headers.headers.add(key=key, raw_value=value.encode("latin-1"))
    if terms is not None:
        metadata = message.metadata_context.filter_metadata[codec.CASCADE_NAMESPACE]
        metadata.fields[verifying.TERMS].string_value = terms
    return message


def answer(*pairs: tuple[str, str], end: bool = False) -> Any:
    message = pb.ProcessingRequest()
    message.response_headers.end_of_stream = end
    for key, value in pairs:
        message.response_headers.headers.headers.add(key=key, raw_value=value.encode("latin-1"))
    return verifying.decode(message)


class TestAttempts:
    def test_what_the_router_said_comes_with_the_attempts_number(self) -> None:
        assert verifying.decode(attempt(content_length="400")) == Attempted(1, ASKED, 400)
        assert verifying.decode(attempt(count="3")) == Attempted(3, ASKED, 0)

    @pytest.mark.parametrize("count", [None, "", "0", "-1", "x", "1, 2", "²", "9" * 30])
    def test_an_attempt_that_is_not_counted_is_not_judged(self, count: str | None) -> None:
        assert verifying.decode(attempt(count=count)) == Unasked()

    @pytest.mark.parametrize(
        "terms", [None, "", "{", "[]", "{}", '"\ufffd"', TERMS.replace('"stream":false', '"stream":1')]
    )
    def test_terms_that_cannot_be_read_are_none(self, terms: str | None) -> None:
        assert verifying.decode(attempt(terms)) == Unasked()

    @pytest.mark.parametrize(
        "changed",
        [{"decision_id": ""}, {"models": ()}, {"costs": ((1.0, 2.0),)}, {"first_tokens": 0}],
    )
    def test_terms_that_nobody_could_go_by_are_none(self, changed: dict[str, Any]) -> None:
        unsound = msgspec.json.encode(msgspec.structs.replace(ASKED, **changed)).decode()
        assert verifying.decode(attempt(unsound)) == Unasked()

    def test_metadata_of_others_says_nothing(self) -> None:
        message = attempt(None)
        message.metadata_context.filter_metadata["somebody"].fields["terms"].string_value = TERMS
        assert verifying.decode(message) == Unasked()


class TestAnswers:
    def test_headers_of_an_answer(self) -> None:
        found = answer((":status", "200"), ("content-type", "application/json"), ("content-length", "3"))
        assert found == Answered(200, "application/json", compressed=False, sized=True, end_of_stream=False)
        assert not found.is_stream

    @pytest.mark.parametrize("value", ["text/event-stream", "text/event-stream; charset=utf-8", "Text/Event-Stream ;x"])
    def test_streams_are_told_by_their_type(self, value: str) -> None:
        assert answer((":status", "200"), ("content-type", value)).is_stream

    @pytest.mark.parametrize(
        ("value", "compressed"), [("gzip", True), ("identity", False), ("", False), (" BR ", True)]
    )
    def test_what_is_compressed_is_said_to_be(self, value: str, *, compressed: bool) -> None:
        assert answer((":status", "200"), ("content-encoding", value)).compressed is compressed

    def test_what_is_unreadable_is_no_status(self) -> None:
        assert answer((":status", "2xx"), end=True) == Answered(0, "", False, False, True)

    def test_bodies_are_as_everywhere(self) -> None:
        message = pb.ProcessingRequest(response_body=pb.HttpBody(body=b"x", end_of_stream=True))
        assert verifying.decode(message) == ResponseBody(b"x", end_of_stream=True)


def sent(command: verifying.Said) -> pb.ProcessingResponse:
    return pb.ProcessingResponse.FromString(verifying.encode(command))


class TestCommands:
    def test_headers_are_changed(self) -> None:
        changes = sent(Head((("x-cascade-escalate", "1"),), ("content-length",))).response_headers.response
        [option] = changes.header_mutation.set_headers
        assert (option.header.key, option.header.raw_value) == ("x-cascade-escalate", b"1")
        assert [*changes.header_mutation.remove_headers] == ["content-length"]

    def test_an_answer_is_served_in_the_models_place(self) -> None:
        immediate = sent(Serve(Reply(200, (("content-type", "a/\xe9"),), b"kept"))).immediate_response
        assert (immediate.status.code, immediate.body, immediate.details) == (200, b"kept", "cascade_kept")
        assert immediate.headers.set_headers[0].header.raw_value == b"a/\xe9"

    def test_the_rest_is_the_routers(self) -> None:
        for command in (Continue(Phase.RESPONSE_BODY), ReplaceChunk(Phase.RESPONSE_BODY, b"")):
            assert verifying.encode(command) == codec.encode(command)


@pytest.mark.parametrize(
    ("modes", "can"),
    [
        (Modes(response=BodyMode.STREAMED, sends_body_early=True), True),
        (Modes(response=BodyMode.STREAMED), False),
        (Modes(response=BodyMode.BUFFERED, sends_body_early=True), False),
        (Modes(response=BodyMode.STREAMED, sends_body_early=True, observing=True), False),
        (Modes(), False),
    ],
)
def test_answers_are_held_in_one_mode_alone(modes: Modes, *, can: bool) -> None:
    assert verifying.can_hold(modes) is can
