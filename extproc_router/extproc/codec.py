"""Protobuf <-> events and commands, with the C-backed messages of xds-protos.

Commands become serialised bytes, not messages: the commonest answer (CONTINUE) is a constant.
Header values are read as Latin-1, which is what HTTP allows and never fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from envoy.type.v3 import http_status_pb2

from extproc_router.errors import LocalProtocolError
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
from extproc_router.types import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest

    from extproc_router.attempts import Chain
    from extproc_router.types import Decision

SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
METHOD = "Process"

# Envoy's dynamic metadata namespace for our decision; envoy.yaml lists it in `receiving_namespaces`.
METADATA_NAMESPACE = "extproc_router.decision"
# A chain, for each who reads of it: the cluster specifier `priority_group` (a group for each attempt, in order), our
# Lua (what makes each attempt's body of the one that was sent), the verifier (an `attempts.Verification` as JSON).
CHAIN_NAMESPACE = "extproc_router.chain"
ATTEMPTS_NAMESPACE = "extproc_router.attempts"
CASCADE_NAMESPACE = "extproc_router.cascade"

_EVENT_STREAM = "text/event-stream"

# What of the Decision goes to Envoy: enough for an access log line. The whole record is in our own log.
_METADATA_FIELDS = (
    "id",
    "model",
    "cluster",
    "reason",
    "requested_model",
    "privacy_tier",
    "config_version",
    "api",
    "rule",
)


parse = pb.ProcessingRequest.FromString


def modes(message: ProcessingRequest) -> Modes:
    """Read what the first message says of the stream; BUFFERED where an older Envoy says nothing."""
    if not message.HasField("protocol_config"):
        return Modes(observing=message.observability_mode)
    config = message.protocol_config
    return Modes(
        request=_body_mode(config.request_body_mode),
        response=_body_mode(config.response_body_mode),
        sends_body_early=config.send_body_without_waiting_for_header_response,
        observing=message.observability_mode,
    )


def _body_mode(number: int) -> BodyMode:
    # A mode that we do not know is one that we cannot read in: its bytes pass.
    return BodyMode(number) if number in BodyMode._value2member_map_ else BodyMode.BUFFERED_PARTIAL


def decode(message: ProcessingRequest) -> Event:  # noqa: PLR0911 - one return per kind of message
    """Turn one message into an event."""
    match message.WhichOneof("request"):
        case "request_headers":
            headers = message.request_headers
            return RequestHeaders(_http_request(headers.headers.headers), headers.end_of_stream)
        case "request_body":
            body = message.request_body
            return RequestBody(body.body, body.end_of_stream or body.end_of_stream_without_message)
        case "request_trailers":
            return RequestTrailers()
        case "response_headers":
            return ResponseHeaders(message.response_headers.end_of_stream)
        case "response_body":
            body = message.response_body
            return ResponseBody(body.body, body.end_of_stream or body.end_of_stream_without_message)
        case "response_trailers":
            return ResponseTrailers()
        case _:
            return Unknown()


def _http_request(pairs: Sequence[base_pb2.HeaderValue]) -> HttpRequest:
    headers = {pair.key: _value(pair) for pair in pairs}
    if len(headers) < len(pairs):
        headers = _joined(pairs)
    method, path = headers.pop(":method", ""), headers.pop(":path", "")
    return HttpRequest(method, path, headers, None)


def _joined(pairs: Sequence[base_pb2.HeaderValue]) -> dict[str, str]:
    """Join repeated headers: Envoy shows each occurrence on its own, and none may hide behind another."""
    headers: dict[str, str] = {}
    for pair in pairs:
        value = _value(pair)
        headers[pair.key] = f"{headers[pair.key]}, {value}" if pair.key in headers else value
    return headers


def _value(pair: base_pb2.HeaderValue) -> str:
    # Envoy before 1.27 sent text.
    return str(pair.raw_value, "latin-1") or pair.value


_CONTINUE = {phase: pb.ProcessingResponse() for phase in Phase}
for _phase, _message in _CONTINUE.items():
    getattr(_message, _phase.value).SetInParent()
_CONTINUE_BYTES = {phase: bytes(message.SerializeToString()) for phase, message in _CONTINUE.items()}


def encode(command: Command) -> bytes:
    """Turn one command into a serialised `ProcessingResponse`.

    Raises:
        LocalProtocolError: `Decide` is not for Envoy.
    """
    match command:
        case Continue(phase):
            return _CONTINUE_BYTES[phase]
        case Mutate():
            return _mutate(command)
        case ReplaceChunk(phase, data):
            mutation = pb.BodyMutation(body=data) if data else pb.BodyMutation(clear_body=True)
            return _body_response(phase, mutation)
        case StreamChunk(phase, data, end_of_stream):
            piece = pb.StreamedBodyResponse(body=data, end_of_stream=end_of_stream)
            return _body_response(phase, pb.BodyMutation(streamed_response=piece))
        case Respond():
            return _respond(command)
        case Decide():
            raise LocalProtocolError("a decision was asked for, not an answer to Envoy")


def _mutate(command: Mutate) -> bytes:
    response = pb.ProcessingResponse()
    common = getattr(response, command.phase.value).response
    changes = common.header_mutation
    for name, value in command.mutation.set_headers:
        set_header(changes, name, value)
    changes.remove_headers.extend(command.mutation.remove_headers)
    if command.mutation.body is not None:
        common.body_mutation.body = command.mutation.body
        # Envoy answers 500 to a changed BUFFERED body whose length is absent or wrong.
        set_header(changes, "content-length", str(len(command.mutation.body)))
    common.clear_route_cache = bool(command.mutation.set_headers)
    if command.skip_body:
        response.mode_override.response_header_mode = processing_mode_pb2.ProcessingMode.SKIP
        response.mode_override.request_body_mode = processing_mode_pb2.ProcessingMode.NONE
    _describe(response, command.decision)
    if command.mutation.chain is not None:
        _describe_chain(response, command.mutation.chain)
    return bytes(response.SerializeToString())


def set_header(changes: pb.HeaderMutation, name: str, value: str) -> None:
    """Have Envoy set a header, in the place of all that it has under this name."""
    option = changes.set_headers.add()
    option.header.key = name
    option.header.raw_value = value.encode("latin-1")
    option.append_action = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


def _body_response(phase: Phase, mutation: pb.BodyMutation) -> bytes:
    body = pb.BodyResponse(response=pb.CommonResponse(body_mutation=mutation))
    arguments: dict[str, Any] = {phase.value: body}
    return bytes(pb.ProcessingResponse(**arguments).SerializeToString())


def _respond(command: Respond) -> bytes:
    reply, response = command.reply, pb.ProcessingResponse()
    immediate = response.immediate_response
    immediate.status.code = http_status_pb2.StatusCode.ValueType(reply.status)
    immediate.body = reply.body
    # Shown as %RESPONSE_CODE_DETAILS% in Envoy's access log.
    # Envoy's local_reply_config tells by it what content type the answer has: headers may not say it here.
    stream = "_stream" * any(value.startswith(_EVENT_STREAM) for _, value in reply.headers)
    immediate.details = f"extproc_router_{command.decision.reason}{stream}"
    for name, value in reply.headers:
        set_header(immediate.headers, name, value)
    _describe(response, command.decision)
    return bytes(response.SerializeToString())


def _describe(response: pb.ProcessingResponse, decision: Decision) -> None:
    fields = response.dynamic_metadata.fields[METADATA_NAMESPACE].struct_value.fields
    for name in _METADATA_FIELDS:
        value = getattr(decision, name)
        if value:
            fields[name].string_value = value


def _describe_chain(response: pb.ProcessingResponse, chain: Chain) -> None:
    namespaces = response.dynamic_metadata.fields
    groups = namespaces[CHAIN_NAMESPACE].struct_value.fields["priority_groups"].list_value.values
    told = namespaces[ATTEMPTS_NAMESPACE].struct_value.fields
    attempts = told["attempts"].list_value.values
    for place, attempt in enumerate(chain.attempts):
        group = groups.add().struct_value.fields
        group["name"].string_value = f"g{place}"
        cluster = group["clusters"].list_value.values.add().struct_value.fields
        cluster["cluster_name"].string_value = attempt.cluster
        cluster["weight"].number_value = 1
        body = attempts.add().struct_value.fields
        body["cluster"].string_value = attempt.cluster
        splices = body["splices"].list_value
        splices.SetInParent()  # an empty list is one, too
        for start, end, text in attempt.splices:
            splice = splices.values.add().list_value.values
            splice.add().number_value = start
            splice.add().number_value = end
            splice.add().string_value = text
    if chain.on_context_length:
        told["context"].bool_value = True
    if chain.verification is not None:
        terms = msgspec.json.encode(chain.verification).decode()
        namespaces[CASCADE_NAMESPACE].struct_value.fields["terms"].string_value = terms
