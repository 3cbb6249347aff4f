"""An ext_proc server that ends every stream at once, and cleanly: `python closing_router.py unix:/path`."""

from __future__ import annotations

import asyncio
import sys

import grpc

from extproc_router.extproc import codec


async def main(address: str) -> None:
    async def process(_: object, context: grpc.aio.ServicerContext) -> None:
        await context.read()

    method = grpc.stream_stream_rpc_method_handler(process, request_deserializer=codec.parse, response_serializer=None)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(codec.SERVICE, {codec.METHOD: method}),))
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
