from __future__ import annotations

import msgspec
import pytest
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.attempts import Attempt, Chain, Verification
from extproc_router.errors import LocalProtocolError
from extproc_router.extproc import codec
from extproc_router.extproc.commands import Continue, Decide, Mutate, Phase, ReplaceChunk, Respond, StreamChunk
from extproc_router.extproc.events import (
    BodyMode,
    Modes,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    Unknown,
)
from extproc_router.router import chaining
from extproc_router.types import Decision, HttpRequest, Mutation, Reason, Reply
from extproc_router.v1 import decision_pb2

DECISION = Decision(
    "id7", "rq", "cv", "ev", "embeddings", "auto", "m", "c", Reason.NAMED, "why", "public", False, (), 0
)

VERIFICATION = Verification(
    "id7", "r", "completions", True, 0.5, 32, ("weak", "strong", "weak"), ((0.1, 0.2), (1.0, 2.0), (0.1, 0.2)), 0.25,
    strips_logprobs=True, json_schema='{"a": "é"}',
)  # fmt: skip
CHAIN = Chain(
    (Attempt("weak", "w"), Attempt("strong", "s", ((1, 3, '"é'), (9, 9, ""))), Attempt("weak", "w")),
    15.0,
    300.0,
    VERIFICATION,
)


def request_headers(pairs: list[tuple[str, bytes]], *, end: bool = False) -> pb.ProcessingRequest:
    message = pb.ProcessingRequest()
    message.request_headers.end_of_stream = end
    for key, value in pairs:
        message.request_headers.headers.headers.add(key=key, raw_value=value)
    return message


def sent(command: Continue | Mutate | ReplaceChunk | StreamChunk | Respond) -> pb.ProcessingResponse:
    return pb.ProcessingResponse.FromString(codec.encode(command))


class TestDecode:
    def test_headers_become_a_request(self) -> None:
        message = request_headers([(":method", b"POST"), (":path", b"/v1?a=1"), ("accept", b"*/*")], end=True)
        event = codec.decode(message)
        assert event == RequestHeaders(HttpRequest("POST", "/v1?a=1", {"accept": "*/*"}, None), end_of_stream=True)

    def test_repeated_headers_are_joined_so_that_none_hides_behind_another(self) -> None:
        event = codec.decode(request_headers([("x-privacy-tier", b"public"), ("x-privacy-tier", b"restricted")]))
        assert isinstance(event, RequestHeaders)
        assert event.http.headers == {"x-privacy-tier": "public, restricted"}

    def test_bytes_that_are_no_text_do_not_fail(self) -> None:
        event = codec.decode(request_headers([("x", b"\xff\xfe")]))
        assert isinstance(event, RequestHeaders)
        assert event.http.headers["x"].encode("latin-1") == b"\xff\xfe"

    def test_older_envoys_send_values_as_text(self) -> None:
        message = pb.ProcessingRequest()
        message.request_headers.headers.headers.add(key="x", value="old")
        event = codec.decode(message)
        assert isinstance(event, RequestHeaders)
        assert event.http.headers == {"x": "old"}

    def test_every_other_kind(self) -> None:
        body = pb.HttpBody(body=b"x", end_of_stream=True)
        assert codec.decode(pb.ProcessingRequest(request_body=body)) == RequestBody(b"x", end_of_stream=True)
        assert codec.decode(pb.ProcessingRequest(response_body=body)) == ResponseBody(b"x", end_of_stream=True)
        trailers = pb.HttpTrailers()
        assert codec.decode(pb.ProcessingRequest(request_trailers=trailers)) == RequestTrailers()
        assert codec.decode(pb.ProcessingRequest(response_trailers=trailers)) == ResponseTrailers()
        headers = pb.HttpHeaders(end_of_stream=True)
        assert codec.decode(pb.ProcessingRequest(response_headers=headers)) == ResponseHeaders(end_of_stream=True)

    def test_a_kind_from_the_future_is_unknown(self) -> None:
        assert codec.decode(pb.ProcessingRequest()) == Unknown()
        # Field 99, length-delimited, empty.
        assert codec.decode(pb.ProcessingRequest.FromString(b"\x9a\x06\x00")) == Unknown()

    def test_an_end_without_a_message_is_an_end(self) -> None:
        body = pb.HttpBody(end_of_stream_without_message=True)
        assert codec.decode(pb.ProcessingRequest(request_body=body)) == RequestBody(b"", end_of_stream=True)


class TestModes:
    def test_an_envoy_that_says_nothing_buffers(self) -> None:
        assert codec.modes(request_headers([])) == Modes()

    def test_what_envoy_says_counts(self) -> None:
        message = request_headers([])
        message.observability_mode = True
        message.protocol_config.request_body_mode = 4
        message.protocol_config.response_body_mode = 1
        message.protocol_config.send_body_without_waiting_for_header_response = True
        assert codec.modes(message) == Modes(
            BodyMode.FULL_DUPLEX_STREAMED, BodyMode.STREAMED, sends_body_early=True, observing=True
        )

    def test_a_mode_from_the_future_is_one_that_cannot_be_read(self) -> None:
        message = request_headers([])
        message.protocol_config.request_body_mode = 77
        assert codec.modes(message).request is BodyMode.BUFFERED_PARTIAL


class TestEncode:
    @pytest.mark.parametrize("phase", list(Phase))
    def test_continue_answers_its_own_message(self, phase: Phase) -> None:
        message = sent(Continue(phase))
        assert message.WhichOneof("response") == phase.value
        assert not message.HasField("dynamic_metadata")

    def test_a_changed_body_has_its_exact_length(self) -> None:
        mutation = Mutation((("x-selected-cluster", "c"),), ("content-encoding",), "ü".encode())
        message = sent(Mutate(Phase.REQUEST_BODY, mutation, DECISION))
        common = message.request_body.response
        assert common.body_mutation.body == "ü".encode()
        headers = {option.header.key: option.header.raw_value for option in common.header_mutation.set_headers}
        assert headers == {"x-selected-cluster": b"c", "content-length": b"2"}
        assert list(common.header_mutation.remove_headers) == ["content-encoding"]
        assert common.clear_route_cache

    def test_an_unchanged_body_is_no_mutation(self) -> None:
        message = sent(Mutate(Phase.REQUEST_BODY, Mutation((("x-selected-cluster", "c"),)), DECISION))
        assert not message.request_body.response.HasField("body_mutation")
        assert [o.header.key for o in message.request_body.response.header_mutation.set_headers] == [
            "x-selected-cluster"
        ]

    def test_a_request_that_passes_keeps_its_route(self) -> None:
        message = sent(Mutate(Phase.REQUEST_HEADERS, Mutation(), DECISION, skip_body=True))
        assert not message.request_headers.response.clear_route_cache
        assert message.mode_override.request_body_mode == 0
        assert message.HasField("mode_override")

    def test_the_decision_is_metadata_with_the_records_own_names(self) -> None:
        message = sent(Mutate(Phase.REQUEST_BODY, Mutation(), replace(DECISION, rule="r")))
        fields = json_format.MessageToDict(message.dynamic_metadata)[codec.METADATA_NAMESPACE]
        record = decision_pb2.Decision()
        json_format.ParseDict(fields, record)
        assert (record.id, record.model, record.cluster, record.reason) == ("id7", "m", "c", "named")
        assert record.rule == "r"

    def test_a_chain_is_metadata_for_each_who_reads_of_it(self) -> None:
        message = sent(Mutate(Phase.REQUEST_BODY, Mutation(chain=replace(CHAIN, on_context_length=True)), DECISION))
        namespaces = json_format.MessageToDict(message.dynamic_metadata)
        assert namespaces[codec.CHAIN_NAMESPACE] == {
            "priority_groups": [
                {"name": "g0", "clusters": [{"cluster_name": "weak", "weight": 1.0}]},
                {"name": "g1", "clusters": [{"cluster_name": "strong", "weight": 1.0}]},
                {"name": "g2", "clusters": [{"cluster_name": "weak", "weight": 1.0}]},
            ]
        }
        assert namespaces[codec.ATTEMPTS_NAMESPACE] == {
            "attempts": [
                {"cluster": "weak", "splices": []},
                {"cluster": "strong", "splices": [[1.0, 3.0, '"é'], [9.0, 9.0, ""]]},
                {"cluster": "weak", "splices": []},
            ],
            "context": True,
        }
        terms = namespaces[codec.CASCADE_NAMESPACE]["terms"]
        assert msgspec.json.decode(terms, type=Verification) == VERIFICATION

    def test_what_is_not_so_is_not_said(self) -> None:
        plain = replace(CHAIN, verification=None)
        message = sent(Mutate(Phase.REQUEST_BODY, Mutation(chain=plain), DECISION))
        namespaces = json_format.MessageToDict(message.dynamic_metadata)
        assert codec.CASCADE_NAMESPACE not in namespaces
        assert namespaces[codec.ATTEMPTS_NAMESPACE].keys() == {"attempts"}
        alone = sent(Mutate(Phase.REQUEST_BODY, Mutation(), DECISION))
        assert json_format.MessageToDict(alone.dynamic_metadata).keys() == {codec.METADATA_NAMESPACE}

    @given(st.lists(st.lists(st.text(max_size=40), max_size=9), min_size=1, max_size=9), st.text("a", max_size=128))
    def test_the_router_bounds_what_attempts_take(self, texts: list[list[str]], cluster: str) -> None:
        """Whatever `chaining` lets through is as small in bytes as it thinks."""
        attempts = [Attempt(cluster, "m", tuple((10**7, 10**7, text) for text in some)) for some in texts]
        chain = Chain(tuple(attempts), 1, 1, on_context_length=True)
        message = sent(Mutate(Phase.REQUEST_BODY, Mutation(chain=chain), DECISION))
        told = message.dynamic_metadata.fields[codec.ATTEMPTS_NAMESPACE]
        assert told.ByteSize() <= chaining.size(attempts)

    def test_a_reply_has_status_headers_and_body(self) -> None:
        message = sent(Respond(Reply(404, (("content-type", "application/json"),), b"{}"), DECISION))
        assert message.immediate_response.status.code == 404
        assert message.immediate_response.body == b"{}"
        assert message.immediate_response.details == "extproc_router_named"
        [option] = message.immediate_response.headers.set_headers
        assert (option.header.key, option.header.raw_value) == ("content-type", b"application/json")

    def test_chunks(self) -> None:
        emptied = sent(ReplaceChunk(Phase.REQUEST_BODY, b"")).request_body.response.body_mutation
        assert emptied.clear_body
        replaced = sent(ReplaceChunk(Phase.REQUEST_BODY, b"x")).request_body.response.body_mutation
        assert replaced.body == b"x"
        streamed = sent(StreamChunk(Phase.RESPONSE_BODY, b"x", end_of_stream=True)).response_body.response.body_mutation
        assert (streamed.streamed_response.body, streamed.streamed_response.end_of_stream) == (b"x", True)

    def test_a_question_is_not_for_envoy(self) -> None:
        with pytest.raises(LocalProtocolError):
            codec.encode(Decide(HttpRequest("GET", "/", {}, None)))
