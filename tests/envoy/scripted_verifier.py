"""An ext_proc server in place of the verifier: `python scripted_verifier.py unix:/path`.

The request's header `x-script` says how it misbehaves, as `PLACE:WHAT`: the message that it happens at, and what
happens. It does so in the first attempt, or in every one: `PLACE:WHAT:always`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router.extproc import codec
from extproc_router.extproc.verifying import ESCALATE

if TYPE_CHECKING:
    from collections.abc import Mapping

FORBIDDEN = {"x-selected-cluster": b"large", ":status": b"500", "set-cookie": b"a=b"}


async def process(_: object, context: grpc.aio.ServicerContext) -> None:
    place = what = ""
    while (message := await context.read()) is not grpc.aio.EOF:
        phase = message.WhichOneof("request")
        if phase == "request_headers":
            pairs = {pair.key: pair.raw_value.decode() for pair in message.request_headers.headers.headers}
            place, what, *always = pairs.get("x-script", ":").split(":")
            if pairs["x-envoy-attempt-count"] != "1" and not always:
                place = ""
        if phase != place:
            await context.write(answer(phase))
            continue
        if what == "closes":
            return
        if what == "is late":
            await asyncio.sleep(0.05)  # enough for all of an answer to come
            await context.write(answer(phase))
            continue
        if what == "fails":
            await context.abort(grpc.StatusCode.INTERNAL, "as the script says")
        for said in misbehaved(phase, what):
            await context.write(said)


def answer(phase: str, headers: Mapping[str, bytes] | None = None) -> bytes:
    response = pb.ProcessingResponse()
    common = getattr(response, phase).response
    common.SetInParent()
    for name, value in (headers or {}).items():
        option = common.header_mutation.set_headers.add()
        option.header.key, option.header.raw_value = name, value
        option.append_action = option.OVERWRITE_IF_EXISTS_OR_ADD
    return bytes(response.SerializeToString())


def misbehaved(phase: str, what: str) -> list[bytes]:
    return {
        "hangs": [],
        "talks twice": [answer(phase)] * 2,
        "is ahead": [answer("response_body"), answer(phase)],
        "is behind": [answer("request_headers")],
        "talks rubbish": [b"\xff\xff\xff"],
        "says nothing": [b""],
        "doubts": [answer(phase, {ESCALATE: b"1"})],
        "touches what it may not": [answer(phase, FORBIDDEN)],
    }[what]


async def main(address: str) -> None:
    method = grpc.stream_stream_rpc_method_handler(process, request_deserializer=codec.parse, response_serializer=None)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(codec.SERVICE, {codec.METHOD: method}),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
