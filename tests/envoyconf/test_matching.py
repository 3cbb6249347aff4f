from __future__ import annotations

import json
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf import matching
from extproc_router.envoyconf.matching import Sample
from extproc_router.lab import stack as lab
from extproc_router.lab.probes import envoy_is_ready, free_ports
from extproc_router.lab.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.envoyconf.conftest import Read

TIER = "x-privacy-tier"
PATHS = ("/v1/chat/completions", "/v1/chat", "/V1/chat", "/")
TIERS = (None, "public", "PUBLIC", "restricted", "public,restricted", "7")


def tier(**specifier: Any) -> dict[str, Any]:
    return {"prefix": "/", "headers": [{"name": TIER, **specifier}]}


# Every way to write a condition that is read: Envoy itself says below what each means.
MATCHES: dict[str, dict[str, Any]] = {
    "all": {"prefix": "/"},
    "prefix": {"prefix": "/v1/chat/"},
    "prefix, case": {"prefix": "/v1/CHAT", "case_sensitive": False},
    "path": {"path": "/v1/chat"},
    "path, case": {"path": "/V1/Chat", "case_sensitive": False},
    "regex": {"safe_regex": {"regex": "/v1/[a-z]+"}},
    "regex of re2": {"safe_regex": {"regex": r"(?i)/v1/\pL+"}},
    "separated": {"path_separated_prefix": "/v1/chat"},
    "separated, longer": {"path_separated_prefix": "/v1/ch"},
    "grpc": {"prefix": "/", "grpc": {}},
    "method": {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]},
    "path as a header": {"prefix": "/", "headers": [{"name": ":path", "string_match": {"suffix": "chat"}}]},
    "name alone": tier(),
    "name alone, inverted": tier(invert_match=True),
    "present": tier(present_match=True),
    "absent": tier(present_match=False),
    "present, inverted": tier(present_match=True, invert_match=True),
    "absent, inverted": tier(present_match=False, invert_match=True),
    "present, missing is empty": tier(present_match=True, treat_missing_header_as_empty=True),
    "exact": tier(string_match={"exact": "public"}),
    "exact, inverted": tier(string_match={"exact": "public"}, invert_match=True),
    "exact, case": tier(string_match={"exact": "Public", "ignore_case": True}),
    "exact, missing is empty": tier(string_match={"exact": ""}, treat_missing_header_as_empty=True),
    "exact, inverted, missing is empty": tier(
        string_match={"exact": "public"}, invert_match=True, treat_missing_header_as_empty=True
    ),
    "starts": tier(string_match={"prefix": "public"}),
    "ends": tier(string_match={"suffix": "restricted"}),
    "contains": tier(string_match={"contains": "restricted"}),
    "contains, case": tier(string_match={"contains": "UBL", "ignore_case": True}),
    "matches": tier(string_match={"safe_regex": {"regex": "[a-z]*"}}),
    "old exact": tier(exact_match="public"),
    "old prefix": tier(prefix_match="pub"),
    "old suffix": tier(suffix_match="lic"),
    "old contains": tier(contains_match=","),
    "old regex": tier(safe_regex_match={"regex": "p.*"}),
    "two": {
        "prefix": "/v1",
        "headers": [{"name": TIER, "present_match": True}, {"name": "X-Privacy-Tier", "exact_match": "restricted"}],
    },
    "in the other spelling": {"prefix": "/", "headers": [{"name": TIER, "stringMatch": {"exact": "7"}}]},
}


def answers(read: Read, match: dict[str, Any]) -> dict[str, bool | None]:
    place = read(json.loads(json.dumps(match)))
    found = {}
    for path in PATHS:
        for value in TIERS:
            sample = Sample(path, {":method": "POST", ":path": path, TIER: value})
            found[f"{path} {value}"] = matching.takes(place, sample)
    return found


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A port where each match has a virtual host of its own: 200 where it holds, else 404."""
    directory: Path = tmp_path_factory.mktemp("matching")
    port, admin = free_ports(2)
    hosts = [
        {
            "name": str(index),
            "domains": [f"h{index}"],
            "routes": [{"match": match, "direct_response": {"status": 200}}],
        }
        for index, match in enumerate(MATCHES.values())
    ]
    extension = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{extension}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "x",
        "route_config": {"virtual_hosts": hosts},
        "http_filters": [{"name": "r", "typed_config": {"@type": f"{extension}.http.router.v3.Router"}}],
    }

    def address(number: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    config = directory / "envoy.json"
    chains = [{"filters": [{"name": "m", "typed_config": manager}]}]
    listeners = [{"name": "l", "address": address(port), "filter_chains": chains}]
    config.write_text(json.dumps({"admin": {"address": address(admin)}, "static_resources": {"listeners": listeners}}))
    with ExitStack() as stack:
        child = stack.enter_context(lab.start_envoy(config, directory=directory, name="envoy"))
        wait_until(lambda: envoy_is_ready(admin), child, seconds=60)
        yield port


@pytest.mark.envoy
@pytest.mark.parametrize("name", MATCHES)
def test_a_match_means_what_envoy_takes_it_to_mean(envoy: int, read: Read, name: str) -> None:
    seen = {}
    connection = HTTPConnection("127.0.0.1", envoy, timeout=20)
    try:
        for path in PATHS:
            for value in TIERS:
                headers = {"host": f"h{list(MATCHES).index(name)}"} | ({} if value is None else {TIER: value})
                connection.request("POST", path, headers=headers)
                reply = connection.getresponse()
                reply.read()
                seen[f"{path} {value}"] = reply.status == 200
    finally:
        connection.close()
    assert answers(read, MATCHES[name]) == seen


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"prefix": 3},
        {"path_match_policy": {}},
        {"prefix": "/", "query_parameters": []},
        {"prefix": "/", "runtime_fraction": {}},
        {"prefix": "/", "dynamic_metadata": []},
        {"prefix": "/", "something_new": 1},
        {"prefix": "/", "headers": [{"name": "x-tenant", "exact_match": "gold"}]},
        {"prefix": "/", "headers": [{"name": TIER, "range_match": {"start": 1, "end": 9}}]},
        {"prefix": "/", "headers": [{"name": TIER, "string_match": {"custom": {}}}]},
        {"prefix": "/", "headers": [{"name": TIER, "string_match": 3}]},
        {"prefix": "/", "headers": [{"name": TIER, "string_match": {"safe_regex": {"regex": "("}}}]},
        {"safe_regex": 3},
    ],
    ids=str,
)
def test_what_the_file_alone_does_not_tell_is_not_guessed(read: Read, match: dict[str, Any]) -> None:
    sample = Sample("/v1/chat", {TIER: "public"})
    assert matching.takes(read({"match": match}).get("match"), sample) is None


def test_what_surely_fails_outweighs_what_is_unknown(read: Read) -> None:
    match = {"prefix": "/v2", "headers": [{"name": "x-tenant"}]}
    assert matching.takes(read(match), Sample("/v1/chat", {})) is False
    assert matching.takes(read({"connect_matcher": {}}), Sample("/v1/chat", {})) is False


def test_a_header_is_judged_by_its_value_alone(read: Read) -> None:
    matcher = read({"name": TIER, "string_match": {"exact": "public"}, "invert_match": True})
    assert [matching.header(matcher, value) for value in ("public", "internal", None)] == [False, True, False]
