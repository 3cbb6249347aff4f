"""The least that an ext_proc in Python can do: the benchmark's yardstick for what gRPC costs, and what we add to it.

Run as `python -m extproc_router.lab.bare_processor unix:/path`: it answers every message with a constant, and never
reads one. It sets the header that chooses the route, as the router does.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import grpc
import uvloop
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router.extproc import codec
from extproc_router.extproc.commands import Continue, Phase
from extproc_router.router import CLUSTER_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_HEADERS = codec.encode(Continue(Phase.REQUEST_HEADERS))


def _body_answer() -> bytes:
    message = pb.ProcessingResponse()
    common = message.request_body.response
    common.clear_route_cache = True
    common.header_mutation.set_headers.add().header.key = CLUSTER_HEADER
    common.header_mutation.set_headers[0].header.raw_value = b"small"
    return bytes(message.SerializeToString())


_BODY = _body_answer()


async def _process(messages: AsyncIterator[bytes], _: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
    # The first message is the headers, the second the body; Envoy's settings see to that.
    answers = iter((_HEADERS, _BODY))
    async for _message in messages:
        yield next(answers)


async def serve(address: str) -> None:
    """Serve on `address` until SIGTERM."""
    server = grpc.aio.server()
    method = grpc.stream_stream_rpc_method_handler(_process)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(codec.SERVICE, {codec.METHOD: method}),))
    server.add_insecure_port(address)
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(0)


def main() -> None:
    """Run as a program."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))


if __name__ == "__main__":
    main()
