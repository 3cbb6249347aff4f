from __future__ import annotations

import pytest

from extproc_router.config import loader
from extproc_router.envoyconf.render import plan
from extproc_router.errors import ConfigError
from extproc_router.server.app import ENVELOPE_BYTES

MIB = 1024 * 1024
HEAD = "models: [{name: a, cluster: small}, {name: b, cluster: large, served_name: s}]\nrouting: {default: b}\n"


def planned(text: str, *, plain: bool = False) -> plan.Plan:
    return plan.of(loader.load(HEAD + text, "r.yaml"), plain=plain)


def test_envoy_waits_longer_than_the_router_takes() -> None:
    assert planned("").message_seconds == 0.5
    assert planned("limits: {encoder_deadline_ms: 1000}").message_seconds == 1.35


def test_a_chain_may_be_silent_as_long_as_all_its_models() -> None:
    assert planned("").idle_seconds == 630  # two models of 300 s
    assert planned("fallback: {answer_seconds: 3600}").idle_seconds == 7230
    assert planned("fallback: {answer_seconds: 1, stream_seconds: 400, attempts: 1}").idle_seconds == 600
    cascade = "rules: [{name: r, use: [a, b], cascade: {}}]"
    assert planned(cascade).idle_seconds == 930  # the first one may be asked again


@pytest.mark.parametrize("cap", [1024, 8 * MIB, 256 * MIB])
def test_bodies_are_held_a_little_longer_than_ours(cap: int) -> None:
    found = planned(f"limits: {{max_body_bytes: {cap}}}")
    assert cap < found.held_bytes < cap + ENVELOPE_BYTES


def test_the_heap_has_room_for_many_of_the_longest() -> None:
    assert planned("").heap_bytes == 1024 * MIB
    found = planned("limits: {max_body_bytes: 268435456}")
    assert found.heap_bytes >= 64 * found.held_bytes
    assert found.heap_bytes % (64 * MIB) == 0


def test_what_is_walked_depends_on_the_config() -> None:
    cascade = "rules: [{name: r, use: [a, b], cascade: {}}]\nfallback: {on_context_length: true}\n"
    assert (planned("").chains, planned("").cascades, planned("").on_context_length) == (True, False, False)
    found = planned(cascade)
    assert (found.chains, found.cascades, found.on_context_length) == (True, True, True)
    found = planned(cascade, plain=True)
    assert (found.chains, found.cascades, found.on_context_length) == (False, False, False)


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("endpoints: {clusters: {smal: {}}}", "endpoints.clusters.smal", "did you mean 'small'?"),
        ("endpoints: {clusters: {small: {addresses: ['unix:/a', 'b:1']}}}", "endpoints.clusters.small", "two clusters"),
        ("endpoints: {workers: 2}", "endpoints.router", "{worker}"),
        (
            "endpoints: {clusters: {small: {tls: true, addresses: ['10.0.0.1:1']}}}",
            "endpoints.clusters.small.tls",
            "`host`",
        ),
        (
            "endpoints: {clusters: {small: {tls: true, addresses: ['a:1', '10.0.0.1:1']}}}",
            "endpoints.clusters.small.tls",
            "`host`",
        ),
        (
            "endpoints: {clusters: {small: {tls: true, addresses: ['unix:/a']}}}",
            "endpoints.clusters.small.tls",
            "`host`",
        ),
        ("endpoints: {admin: '127.0.0.1:8080'}", "endpoints.admin", "cannot share a port"),
        ("endpoints: {router: 'unix:/a', verifier: 'unix:/a'}", "endpoints.verifier", "needs its own"),
    ],
)
def test_addresses_have_to_fit_the_models(text: str, field: str, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        planned(text)
    [mistake] = raised.value.mistakes
    assert mistake.field == field
    assert says in mistake.message


@pytest.mark.parametrize("name", [plan.ROUTER, plan.VERIFIER, plan.NOWHERE])
def test_some_clusters_are_taken(name: str) -> None:
    config = loader.load(f"models: [{{name: a, cluster: {name}}}]\nrouting: {{default: a}}\n", "r.yaml")
    with pytest.raises(ConfigError, match="own"):
        plan.of(config, plain=False)


def test_a_cluster_whose_name_is_no_hosts_needs_addresses() -> None:
    text = "models: [{name: a, cluster: 'a|b'}]\nrouting: {default: a}\n"
    with pytest.raises(ConfigError, match="give its servers"):
        plan.of(loader.load(text, "r.yaml"), plain=False)
    given = f"{text}endpoints: {{clusters: {{'a|b': {{addresses: ['c:1']}}}}}}\n"
    assert plan.of(loader.load(given, "r.yaml"), plain=False).clusters[0].addresses == ("c:1",)


def test_a_host_of_its_own_needs_lua() -> None:
    text = "endpoints: {clusters: {small: {host: a.example}}}"
    assert planned(text).clusters[0].served.host == "a.example"
    with pytest.raises(ConfigError, match="--plain"):
        planned(text, plain=True)
