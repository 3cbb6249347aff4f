from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import grpc
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from google.protobuf import json_format

from extproc_router.extproc import codec
from extproc_router.lab import stack as lab
from extproc_router.lab.hunt.envoy_request import Router, Sent
from extproc_router.lab.hunt.envoy_scripted import CUE, Cue
from extproc_router.lab.hunt.envoy_site import Model, Site
from extproc_router.lab.processes import running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = Site(
    ("public", "restricted"), (Model("wide", "openai", 0), Model("trusted", "local", 1), Model("v", "vault", 1))
)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with lab.workspace() as directory:
        module = "extproc_router.lab.hunt.envoy_scripted"
        argv = [sys.executable, "-m", module, f"unix:{directory / 's.sock'}", str(directory / "said.jsonl")]
        with running(argv, name="scripted", directory=directory) as child:
            wait_until((directory / "s.sock").exists, child, seconds=30)
            yield directory
            assert child.stop() == 0


def converse(directory: Path, router: Router, walk: str = "") -> list[pb.ProcessingResponse]:
    """Show the headers and the body of a restricted request; returns what is answered."""
    cue = Cue(7, Sent(0, "h", "/", (), router, walk=walk), SITE).header()
    headers = pb.HttpHeaders()
    for name, value in ((CUE, cue), ("x-privacy-tier", "public"), ("x-privacy-tier", "restricted")):
        headers.headers.headers.append(base_pb2.HeaderValue(key=name, raw_value=value.encode()))
    messages = [pb.ProcessingRequest(request_headers=headers), pb.ProcessingRequest(request_body=pb.HttpBody())]
    with grpc.insecure_channel(f"unix:{directory / 's.sock'}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        call = channel.stream_stream(
            f"/{codec.SERVICE}/{codec.METHOD}",
            request_serializer=pb.ProcessingRequest.SerializeToString,
            response_deserializer=pb.ProcessingResponse.FromString,
        )
        return list(call(iter(messages), timeout=20, wait_for_ready=True))


def test_it_decides_as_the_site_does_and_writes_it_down(directory: Path) -> None:
    [_, answer] = converse(directory, Router.DECIDES)
    headers = answer.request_body.response.header_mutation.set_headers
    assert [(option.header.key, option.header.raw_value) for option in headers] == [
        ("x-llm-decision", b"an-id"),
        ("x-selected-cluster", b"local"),
    ]
    assert '[7,"decides","local"]' in (directory / "said.jsonl").read_text(encoding="utf-8").splitlines()


def test_it_tells_a_chain(directory: Path) -> None:
    [_, answer] = converse(directory, Router.DECIDES, "cascade")
    headers = answer.request_body.response.header_mutation.set_headers
    written = {option.header.key: option.header.raw_value for option in headers}
    assert (written["x-llm-chain"], written["x-envoy-max-retries"]) == (b"cascade", b"2")
    groups = json_format.MessageToDict(answer.dynamic_metadata)["extproc_router.chain"]["priority_groups"]
    assert [group["clusters"][0]["cluster_name"] for group in groups] == ["local", "vault", "local"]
    assert [group["name"] for group in groups] == ["g0", "g1", "g2"]


@pytest.mark.parametrize(
    ("router", "answers"), [(Router.ANSWERS, 2), (Router.CLOSES, 0), (Router.CLOSES_LATER, 1), (Router.HANGS, 0)]
)
def test_it_says_as_much_as_it_is_told(directory: Path, router: Router, answers: int) -> None:
    assert len(converse(directory, router)) == answers


@pytest.mark.parametrize("router", [Router.FAILS, Router.FAILS_LATER])
def test_it_fails(directory: Path, router: Router) -> None:
    with pytest.raises(grpc.RpcError, match="as the script says"):
        converse(directory, router)
