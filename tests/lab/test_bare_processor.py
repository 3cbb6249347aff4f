from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router.extproc import codec
from extproc_router.lab.processes import running, wait_until


def test_it_answers_headers_and_body_as_envoy_expects() -> None:
    with tempfile.TemporaryDirectory(prefix="xr-") as name:
        directory = Path(name)
        socket = directory / "bare.sock"
        argv = [sys.executable, "-m", "extproc_router.lab.bare_processor", f"unix:{socket}"]
        with running(argv, name="bare", directory=directory) as child:
            wait_until(socket.exists, child, seconds=30)
            with grpc.insecure_channel(f"unix:{socket}") as channel:
                call = channel.stream_stream(
                    f"/{codec.SERVICE}/{codec.METHOD}",
                    request_serializer=pb.ProcessingRequest.SerializeToString,
                    response_deserializer=pb.ProcessingResponse.FromString,
                )
                messages = [pb.ProcessingRequest(request_headers=pb.HttpHeaders()), pb.ProcessingRequest()]
                first, second = call(iter(messages), timeout=20, wait_for_ready=True)
            assert child.stop() == 0
    assert first.WhichOneof("response") == "request_headers"
    [option] = second.request_body.response.header_mutation.set_headers
    assert (option.header.key, option.header.raw_value) == ("x-selected-cluster", b"small")
