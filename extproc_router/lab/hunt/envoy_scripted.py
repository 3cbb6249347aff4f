"""An ext_proc server in place of the router that does with each request as that request says, well or badly.

Run as `python -m extproc_router.lab.hunt.envoy_scripted unix:/path said.jsonl`: a process of its own, for gRPC's
threads and processes that fork get on badly. What it says is written to the file, a line each,
`[place, router, cluster]`.
"""

from __future__ import annotations

import base64
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import msgspec
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router.extproc import codec
from extproc_router.extproc.commands import Continue, Phase
from extproc_router.extproc.events import RequestHeaders
from extproc_router.lab.hunt.envoy_request import CLOSED_CLEANLY, SPEAKS, Router, Sent, Verdict
from extproc_router.lab.hunt.envoy_site import Site
from extproc_router.policy import privacy
from extproc_router.router import CHAIN_HEADER, CLUSTER_HEADER, DECISION_HEADER, RETRIES_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

CUE = "hunt-cue"
"""The header that says what to do; no `x-`, which files may remove."""
_THREADS = 8  # requests come one by one; streams that hang hold one until Envoy's timeout
_FORBIDDEN = 403


class Cue(msgspec.Struct, frozen=True):
    """What to do with a request: its place among those sent, the request, and the site that it is sent to."""

    place: int
    sent: Sent
    site: Site

    def header(self) -> str:
        """Return it as the value of a header."""
        return base64.b64encode(msgspec.json.encode(self)).decode()


class Script:
    """The server.

    Args:
        said: is told each verdict.
    """

    def __init__(self, said: TextIO) -> None:
        self._said = said

    def process(self, messages: Iterator[pb.ProcessingRequest], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Serve one stream."""
        first = next(messages, None)
        event = None if first is None else codec.decode(first)
        if not isinstance(event, RequestHeaders):
            return
        cue = msgspec.json.decode(base64.b64decode(event.http.headers[CUE]), type=Cue)
        router = cue.sent.router
        if router is Router.HANGS:
            for _ in messages:
                pass
        if router in {Router.HANGS, Router.CLOSES}:
            return
        if router is Router.FAILS:
            context.abort(grpc.StatusCode.INTERNAL, "as the script says")
        phase = Phase.REQUEST_HEADERS
        if not event.end_of_stream:
            yield codec.encode(Continue(phase))
            if router in CLOSED_CLEANLY or next(messages, None) is None:
                return
            phase = Phase.REQUEST_BODY
        if router is Router.FAILS_LATER:
            context.abort(grpc.StatusCode.INTERNAL, "as the script says")
        if router in SPEAKS:
            verdict = cue.site.answer(cue.sent, event.http.headers.get(privacy.HEADER))
            self._said.write(msgspec.json.encode([cue.place, verdict.router, verdict.cluster]).decode() + "\n")
            self._said.flush()
            yield _answer(verdict, phase)


def _answer(verdict: Verdict, phase: Phase) -> bytes:
    message = pb.ProcessingResponse()
    if verdict.router is Router.ANSWERS:
        message.immediate_response.status.code = _FORBIDDEN
        return bytes(message.SerializeToString())
    common = getattr(message, phase.value).response
    common.clear_route_cache = True
    written = [(DECISION_HEADER, "an-id"), (CLUSTER_HEADER, verdict.cluster), (CHAIN_HEADER, verdict.walk)]
    if verdict.chain:
        written.append((RETRIES_HEADER, str(len(verdict.chain) - 1)))
        groups = [
            {"name": f"g{place}", "clusters": [{"cluster_name": name, "weight": 1}]}
            for place, name in enumerate(verdict.chain)
        ]
        message.dynamic_metadata.update({codec.CHAIN_NAMESPACE: {"priority_groups": groups}})
    for name, value in written:
        if value:
            option = common.header_mutation.set_headers.add()
            option.header.key, option.header.raw_value = name, value.encode()
            option.append_action = option.OVERWRITE_IF_EXISTS_OR_ADD
    return bytes(message.SerializeToString())


def main() -> None:
    """Run as a program, until SIGTERM."""
    address, path = sys.argv[1:]
    with Path(path).open("a", encoding="utf-8") as said:
        server = grpc.server(ThreadPoolExecutor(_THREADS))
        process = Script(said).process
        method = grpc.stream_stream_rpc_method_handler(process, request_deserializer=codec.parse)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(codec.SERVICE, {codec.METHOD: method}),))
        server.add_insecure_port(address)
        server.start()
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        stop.wait()
        server.stop(0).wait()


if __name__ == "__main__":
    main()
