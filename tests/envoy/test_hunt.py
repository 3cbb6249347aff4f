"""The hunt's model of Envoy is held against real Envoy: fact by fact, and on random files with random requests."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab import stack as lab
from extproc_router.lab.hunt import envoy_matchers, envoy_mutations, envoy_real
from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_paths import normalized
from extproc_router.lab.probes import envoy_is_ready, free_ports
from extproc_router.lab.processes import wait_until
from extproc_router.lab.simulator import simulators

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.envoy

FILES = 6
NAME = "x-t"
VALUES: tuple[tuple[str, ...], ...] = (
    (), ("public",), ("PUBLIC",), ("restricted",), ("public", "restricted"), ("restricted", "public"),
    ("public", "public"), ("",), ("", "public"), ("5",), ("5", "6"), ("10",), ("public, restricted",), (",",),
)  # fmt: skip
STRINGS: tuple[dict[str, Any], ...] = (
    {"exact": "public"},
    {"exact": "PUBLIC", "ignore_case": True},
    {"exact": ""},
    {"prefix": "pub"},
    {"suffix": "CTED", "ignore_case": True},
    {"contains": "restr"},
    {"contains": "RESTR"},
    {"safe_regex": {"regex": "restr"}},
    {"safe_regex": {"regex": ".*restr.*"}},
    {"safe_regex": {"regex": "(?i)public"}},
)
MATCHERS: tuple[dict[str, Any], ...] = (
    *({"string_match": string} for string in STRINGS if string != {"exact": ""}),
    {"present_match": True},
    {"present_match": False},
    {},
    {"exact_match": "public"},
    {"prefix_match": "pub"},
    {"suffix_match": "cted"},
    {"contains_match": "restr"},
    {"safe_regex_match": {"regex": "public"}},
    {"range_match": {"start": 1, "end": 10}},
)
ROUTES: list[dict[str, Any]] = [
    {"prefix": "/", "headers": [{"name": name, **matcher, **inverted, **missing}]}
    for matcher in MATCHERS
    for inverted in ({}, {"invert_match": True})
    for missing in ({}, {"treat_missing_header_as_empty": True})
    for name in ((NAME, "X-T") if matcher == MATCHERS[0] else (NAME,))
] + [
    {"path": "/a"}, {"path": "/A", "case_sensitive": False}, {"prefix": "/a"}, {"prefix": "/a?x"},
    {"path_separated_prefix": "/a"}, {"safe_regex": {"regex": "/a"}}, {"safe_regex": {"regex": "/a.*"}},
    {"prefix": "/", "query_parameters": [{"name": "x", "present_match": True}]},
    {"prefix": "/", "query_parameters": [{"name": "x", "present_match": False}]},
    {"prefix": "/", "query_parameters": [{"name": "x", "string_match": {"exact": "1"}}]},
]  # fmt: skip
PATHS = ("/", "/A", "/a/b", "/ab", "/a?x=1&x=2", "/a?x=2&x=1", "/a?x", "/a?X=1", "//a", "/b/../a", "/%61", "/a%2Fb")
ACTIONS = ("APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS")
MUTATIONS: tuple[dict[str, Any], ...] = (
    *(
        {"append": {"header": {"key": key, "value": value}, "append_action": action}}
        for action in ACTIONS
        for key, value in (
            (NAME, "%CEL(request.headers['x-t'])%"), ("X-T", "%REQ(x-t)%"), (NAME, "%CEL(request.headers['x-n'])%"),
            (NAME, "z"), (NAME, ""),
        )
    ),
    {"append": {"header": {"key": NAME, "value": ""}, "append_action": ACTIONS[2], "keep_empty_value": True}},
    {"remove": "X-T"},
    *(
        {"remove_on_match": {"key_matcher": matcher}}
        for matcher in ({"prefix": "x-t"}, {"prefix": "X-T"}, {"exact": "X-T", "ignore_case": True}, {"contains": "-t"},
                        {"safe_regex": {"regex": "x-"}}, {"safe_regex": {"regex": "x-."}})
    ),
)  # fmt: skip


@contextmanager
def running(managers: Sequence[parts.Part], clusters: Sequence[parts.Part] = ()) -> Iterator[list[int]]:
    """Real Envoy with a listener for each connection manager; gives their ports."""
    admin, *ports = free_ports(1 + len(managers))
    file = parts.bootstrap([parts.listener(f"l{place}", each) for place, each in enumerate(managers)], clusters)
    file["admin"]["address"]["socket_address"]["port_value"] = admin
    for listener, port in zip(file["static_resources"]["listeners"], ports, strict=True):
        listener["address"]["socket_address"]["port_value"] = port
    with lab.workspace() as directory:
        path = directory / "envoy.json"
        path.write_text(json.dumps(file), encoding="utf-8")
        with lab.start_envoy(path, directory=directory, name="envoy") as child:
            wait_until(lambda: envoy_is_ready(admin), child, seconds=lab.READY_SECONDS)
            yield ports


def host(*routes: parts.Part) -> list[parts.Part]:
    return [{"name": "h", "domains": ["*"], "routes": list(routes)}]


def get(port: int, path: str, values: Sequence[str]) -> int:
    """The status of a GET with these values of the header."""
    lines = [f"GET {path} HTTP/1.1", "Host: gateway", *(f"{NAME}: {value}" for value in values)]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(connection.recv(64).split()[1])


def test_matchers() -> None:
    rest = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    managers = [
        parts.manager([], host({"match": match, "direct_response": {"status": 200}}, rest), [], normalize_path=True)
        for match in ROUTES
    ]
    requests = [("/a", values) for values in VALUES] + [(path, ("public",)) for path in PATHS]
    with running(managers) as ports:
        real = {
            (place, path, values): get(port, path, values) == 200
            for place, port in enumerate(ports)
            for path, values in requests
        }
    foreseen = {
        (place, path, values): envoy_matchers.route(
            match, {":path": [normalized(path)], ":authority": ["gateway"], **({NAME: [*values]} if values else {})}
        )
        for place, match in enumerate(ROUTES)
        for path, values in requests
    }
    wrong = [(ROUTES[key[0]], key[1:], real[key]) for key in real if real[key] is not foreseen[key]]
    assert wrong == []


def test_mutations_before_the_route() -> None:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "local"}}
    managers = [parts.manager([mutation], host(route), []) for mutation in MUTATIONS]
    wrong = []
    with simulators(["local"]) as servers:
        cluster = parts.server("local")
        [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        endpoint["endpoint"]["address"]["socket_address"]["port_value"] = servers["local"].port
        with running(managers, [cluster]) as ports:
            for mutation, port in zip(MUTATIONS, ports, strict=True):
                for values in VALUES:
                    servers["local"].clear()
                    get(port, "/", values)
                    [request] = servers["local"].received
                    real = [value for name, value in request.headers if name == NAME]
                    foreseen = {NAME: [*values]} if values else {}
                    envoy_mutations.apply([mutation], foreseen)
                    if real != foreseen.get(NAME, []):
                        wrong.append((mutation, values, real))
    assert wrong == []


def test_random_files() -> None:
    assert [leak.story for leak in envoy_real.run(seed=1, files=FILES).leaks] == []
