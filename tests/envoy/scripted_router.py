"""An ext_proc server in place of the router: `python scripted_router.py unix:/path script.json`.

The file says what it answers to the next request: `{"headers": {..}, "metadata": {..}}`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from google.protobuf.json_format import ParseDict

from extproc_router.extproc import codec


async def process(path: Path, _: object, context: grpc.aio.ServicerContext) -> None:
    await context.read()
    script = json.loads(path.read_text())  # noqa: ASYNC240 - requests come one by one
    await context.write(pb.ProcessingResponse(request_headers=pb.HeadersResponse()).SerializeToString())
    await context.read()
    answer = pb.ProcessingResponse()
    common = answer.request_body.response
    common.clear_route_cache = True
    for name, value in script["headers"].items():
        option = common.header_mutation.set_headers.add()
        option.header.key, option.header.raw_value = name, value.encode()
        option.append_action = option.OVERWRITE_IF_EXISTS_OR_ADD
    ParseDict(script["metadata"], answer.dynamic_metadata)
    await context.write(answer.SerializeToString())
    await context.read()


async def main(address: str, path: str) -> None:
    method = grpc.stream_stream_rpc_method_handler(
        partial(process, Path(path)), request_deserializer=codec.parse, response_serializer=None
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(codec.SERVICE, {codec.METHOD: method}),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
