"""Random files in real Envoy: what its upstreams receive must be what the model foresees, and what the site allows."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.lab import stack as lab
from extproc_router.lab.hunt import envoy_files, envoy_hunt, envoy_oracle, envoy_parts, envoy_requests
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.envoy_model import Model, plain
from extproc_router.lab.hunt.envoy_request import Outcome, Router, Verdict
from extproc_router.lab.hunt.envoy_scripted import CUE, Cue
from extproc_router.lab.hunt.tally import Leak, Tally
from extproc_router.lab.probes import envoy_is_ready, free_ports
from extproc_router.lab.processes import running, wait_until
from extproc_router.lab.simulator import simulators

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from extproc_router.lab.hunt.envoy_hunt import Case
    from extproc_router.lab.hunt.envoy_parts import Part
    from extproc_router.lab.hunt.envoy_request import Sent
    from extproc_router.lab.simulator import ModelServer

REQUESTS = 40
_HANGS = 1  # of these requests: each costs Envoy's whole timeout
_PLACE = "hunt-place"
_BODY = b'{"model":"auto","messages":[]}'
_SECONDS = 10.0
_QUIET_SECONDS = 0.15  # mirrors are sent beside the answer
_UNAVAILABLE = 503


def run(seed: int, files: int) -> Tally:
    """Walk files through real Envoy, each one case.

    Raises:
        StartupError: Envoy is not there, or refuses a file.
    """
    with routers() as directory:
        cases = (f"{seed}:{place}" for place in range(files))
        return Tally(files, tuple(leak for case in cases for leak in leaks(case, directory)))


@contextmanager
def routers() -> Iterator[Path]:
    """Run the scripted router until the block ends; returns the directory of its socket and of what it says."""
    module = "extproc_router.lab.hunt.envoy_scripted"
    with lab.workspace() as directory:
        argv: list[str | Path] = [
            sys.executable,
            "-m",
            module,
            f"unix:{directory / 'router.sock'}",
            directory / "said.jsonl",
        ]
        with running(argv, name="scripted", directory=directory) as child:
            wait_until((directory / "router.sock").exists, child, seconds=lab.READY_SECONDS)
            yield directory


def leaks(seed: str, directory: Path, requests: int = REQUESTS) -> Iterator[Leak]:
    """Yield what is wrong with a case.

    Of a file that is proved, requests that reached what they should not have; of every file, requests that reached
    what the model did not foresee: then the model is wrong, and with it the hunt.

    Args:
        seed: of the case, as in `envoy_hunt.draw`.
        directory: of `routers`.
        requests: how many.
    """
    case = envoy_hunt.draw(seed)
    rng = Random(f"{seed}:real")
    model = Model(case.file)
    sent = [envoy_requests.draw(rng, case.site, model.listeners, model.tiers) for _ in range(requests)]
    for request, outcome in walk(case, sent, rng, directory):
        foreseen = model.run(request, partial(case.site.answer, request))
        if wrong := outcome.clusters - foreseen.clusters:
            yield Leak(f"real Envoy {seed}", "unforeseen: " + envoy_hunt.story(case, request, wrong))
        if case.proof.proved and (wrong := envoy_oracle.leaked(case.site, request, outcome)):
            yield Leak(f"real Envoy {seed}", envoy_hunt.story(case, request, wrong))


def walk(case: Case, requests: Sequence[Sent], rng: Random, directory: Path) -> list[tuple[Sent, Outcome]]:
    """Send requests to real Envoy, those to a dead router to one that has none, and return what became of each."""
    hung = [sent for sent in requests if sent.router is Router.HANGS]
    living = [sent for sent in requests if sent.router not in {Router.HANGS, Router.DEAD}] + hung[:_HANGS]
    dead = [sent for sent in requests if sent.router is Router.DEAD]
    (directory / "said.jsonl").write_bytes(b"")
    walked = _Walk(case, directory / "router.sock").send(living, rng)
    lines = (directory / "said.jsonl").read_bytes().splitlines()
    said = {place: Verdict(router, cluster) for place, router, cluster in map(_SAID.decode, lines)}
    outcomes = [Outcome(clusters, said.get(place)) for place, clusters in enumerate(walked)]
    outcomes += [Outcome(clusters) for clusters in _Walk(case, directory / "nobody.sock").send(dead, rng)]
    return list(zip([*living, *dead], outcomes, strict=True))


_SAID = msgspec.json.Decoder(tuple[int, Router, str])


class _Walk:
    """A file in a real Envoy.

    Args:
        case: whose file.
        router: the socket of the router.
    """

    def __init__(self, case: Case, router: Path) -> None:
        self._case, self._router = case, router

    def send(self, requests: Sequence[Sent], rng: Random) -> list[frozenset[str]]:
        """Send requests one by one, some servers failing; returns which servers received each."""
        file = plain(self._case.file)
        names = [cluster["name"] for cluster in file["static_resources"]["clusters"] if "load_assignment" in cluster]
        with (
            lab.workspace() as directory,
            simulators([name for name in names if name not in envoy_files.SIDECAR]) as servers,
            ExitStack() as parts,
        ):
            ports = self._start(parts, directory, file, servers, rng)
            for place, sent in enumerate(requests):
                for server in servers.values():
                    server.status = _UNAVAILABLE if happens(rng, 0.4) else None
                _send(sent, ports[sent.listener], {_PLACE: str(place), CUE: Cue(place, sent, self._case.site).header()})
            time.sleep(_QUIET_SECONDS)
            return [_received(servers, str(place)) for place in range(len(requests))]

    def _start(
        self, parts: ExitStack, directory: Path, file: Part, servers: Mapping[str, ModelServer], rng: Random
    ) -> list[int]:
        """Start Envoy; returns the ports of its listeners."""
        admin, *ports = free_ports(1 + len(file["static_resources"]["listeners"]))
        file["admin"] = {"address": _address(admin)}
        for listener, port in zip(file["static_resources"]["listeners"], ports, strict=True):
            listener["address"] = _address(port)
        for cluster in file["static_resources"]["clusters"]:
            if "load_assignment" in cluster:
                name = cluster["name"]
                # Nobody judges answers: none is held back, and models fail often enough.
                address = (
                    {"pipe": {"path": str(self._router if name == envoy_parts.ROUTER else directory / "verifier.sock")}}
                    if name in envoy_files.SIDECAR
                    else _address(servers[name].port)
                )
                endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
                cluster["load_assignment"] = {"cluster_name": name, "endpoints": endpoints}
                cluster["type"] = "STATIC"
                cluster.pop("dns_lookup_family", None)
        path = directory / "envoy.json"
        path.write_bytes(msgspec.json.encode(envoy_files.camel(rng, file)))
        log = directory / "access.jsonl"
        child = parts.enter_context(lab.start_envoy(path, directory=directory, name="envoy", stdout=log))
        wait_until(lambda: envoy_is_ready(admin), child, seconds=lab.READY_SECONDS)
        return ports


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _send(sent: Sent, port: int, marks: Mapping[str, str]) -> None:
    headers = [("Host", sent.host), *sent.headers, *marks.items(), ("Content-Length", str(len(_BODY)))]
    head = "\r\n".join([f"POST {sent.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)])
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n\r\n" + _BODY)
        with suppress(ConnectionResetError):
            connection.recv(1)  # whatever it says: it has been forwarded by then, or never will be


def _received(servers: Mapping[str, ModelServer], place: str) -> frozenset[str]:
    return frozenset(
        name for name, server in servers.items() if any(request.header(_PLACE) == place for request in server.received)
    )
