from __future__ import annotations

from typing import Any

import pytest

from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_model import Model, plain
from extproc_router.lab.hunt.envoy_request import CLOSED_CLEANLY, SPEAKS, Outcome, Router, Sent, Verdict

ALL = {"prefix": "/"}


def to(cluster: str, *headers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"match": {**ALL, "headers": list(headers)}, "route": {"cluster": cluster}, **more}


def present(name: str) -> dict[str, Any]:
    return {"name": name, "present_match": True}


DECIDED = {
    "match": {**ALL, "headers": [present("x-selected-cluster")]},
    "route": {"cluster_header": "x-selected-cluster"},
}
ROUTES = [DECIDED, to("passed", present("x-llm-decision")), to("silent")]


def model(
    routes: list[dict[str, Any]] = ROUTES,
    *,
    early: tuple[dict[str, Any], ...] = (),
    filters: tuple[dict[str, Any], ...] = (),
    allow: bool = True,
    host: dict[str, Any] | None = None,
) -> Model:
    hosts = [{"name": "h", "domains": ["*"], "routes": routes, **(host or {})}]
    manager = parts.manager(early, hosts, [*filters, parts.ext_proc(failure_mode_allow=allow)], normalize_path=True)
    servers = [parts.server(name) for name in ("chosen", "passed", "silent", "client")]
    return Model(parts.bootstrap([parts.listener("l", manager)], servers))


def run(model: Model, router: Router = Router.DEAD, *headers: tuple[str, str], host: str = "gateway") -> Outcome:
    sent = Sent(0, host, "/v1/%63hat", headers, router)
    return model.run(sent, lambda _: Verdict(router, "chosen" if router is Router.DECIDES else ""))


@pytest.mark.parametrize("allow", [True, False])
@pytest.mark.parametrize("router", Router)
def test_what_the_router_does_decides_the_route(router: Router, allow: bool) -> None:
    spoken = {Router.DECIDES: {"chosen"}, Router.PASSES: {"passed"}, Router.ANSWERS: set[str]()}
    silent = {"silent"} if allow or router in CLOSED_CLEANLY else set()
    outcome = run(model(allow=allow), router)
    assert outcome.clusters == spoken.get(router, silent)
    assert (outcome.verdict is not None) == (router in SPEAKS)


CHAIN = {"name": "x-llm-chain", "string_match": {"exact": "fallback"}}


def chain(*filters: dict[str, Any], router: Router = Router.DECIDES, received: bool = True) -> set[str]:
    """The clusters that are reached by a chain from `passed` to `silent`; where none is read, by `client`."""
    walked = parts.groups(["client"], override_metadata_namespace=parts.CHAIN)
    asks = parts.ext_proc(failure_mode_allow=True)
    if not received:
        asks["typed_config"]["metadata_options"] = {"receiving_namespaces": {"untyped": ["other"]}}
    before, behind = filters[:1], filters[1:]
    hosts = [{"name": "h", "domains": ["*"], "routes": [{"match": {**ALL, "headers": [CHAIN]}, "route": walked}]}]
    servers = [parts.server(name) for name in ("passed", "silent", "client", "forged")]
    file = parts.bootstrap([parts.listener("l", parts.manager((), hosts, [*before, asks, *behind]))], servers)
    verdict = Verdict(router, "passed", "fallback", ("passed", "silent"))
    sent = Sent(0, "gateway", "/", (("x-llm-chain", "fallback"),), router)
    return set(Model(file).run(sent, lambda _: verdict).clusters)


def test_a_chain_is_walked_as_the_router_says() -> None:
    assert chain() == {"passed", "silent"}
    assert chain(received=False) == {"client"}
    assert chain(router=Router.DEAD) == {"client"}


def test_metadata_of_others_counts_too() -> None:
    groups = [{"clusters": [{"cluster_name": "forged"}]}]
    entry = {"metadata_namespace": parts.CHAIN, "value": {"priority_groups": groups}}
    sets = parts.typed("set", "extensions.filters.http.set_metadata.v3.Config", metadata=[entry])
    nothing = parts.typed("none", "extensions.filters.http.set_metadata.v3.Config", metadata=[])
    assert chain(sets) == {"passed", "silent"}
    assert chain(nothing, sets) == {"passed", "silent", "forged"}
    assert chain(sets, router=Router.DEAD) == {"forged"}


def test_a_client_chooses_where_its_header_is_not_removed_early() -> None:
    forged = ("X-Selected-Cluster", "client")
    late = parts.typed(
        "late",
        "extensions.filters.http.header_mutation.v3.HeaderMutation",
        mutations={"request_mutations": [{"remove": "x-selected-cluster"}]},
    )
    assert run(model(), Router.DEAD, forged).clusters == {"client"}
    assert run(model(filters=(late,)), Router.DEAD, forged).clusters == {"client"}
    assert run(model(early=({"remove": "x-selected-cluster"},)), Router.DEAD, forged).clusters == {"silent"}


@pytest.mark.parametrize("place", ["filter", "route", "host"])
def test_the_router_may_not_be_asked(place: str) -> None:
    routes = [DECIDED, to("silent", **(parts.unasked() if place == "route" else {}))]
    asked = model(routes, host=parts.unasked() if place == "host" else None)
    if place == "filter":
        manager = asked._listeners[0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["http_filters"][0]["disabled"] = True
    assert run(asked, Router.DECIDES) == Outcome(frozenset({"silent"}))


def test_the_router_sees_repeated_headers_joined() -> None:
    seen: list[str | None] = []

    def speak(header: str | None) -> Verdict:
        seen.append(header)
        return Verdict(Router.PASSES)

    twice = (("x-privacy-tier", "a"), ("X-Privacy-Tier", "b"))
    model().run(Sent(0, "h", "/", twice, Router.PASSES), speak)
    model().run(Sent(0, "h", "/", (), Router.PASSES), speak)
    assert seen == ["a, b", None]


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("h.x", "exact"), ("H.X", "exact"), ("h.x:80", "prefix"), ("a.x", "suffix"), ("a.b.x", "longer"),
        (".x", "star"), ("h.y", "prefix"), ("h.", "star"), ("q", "star"),
    ],
)  # fmt: skip
def test_virtual_hosts(host: str, found: str) -> None:
    domains = {"exact": "h.x", "suffix": "*.x", "longer": "*.b.x", "prefix": "h.*", "star": "*"}
    hosts = [{"name": name, "domains": [domain], "routes": [to(name)]} for name, domain in domains.items()]
    manager = parts.manager([], hosts, [])
    file = parts.bootstrap([parts.listener("l", manager)], [parts.server(name) for name in domains])
    assert run(Model(file), host=host).clusters == {found}


def test_without_a_route_or_with_an_answer_nothing_is_reached() -> None:
    assert run(model([])).clusters == set()
    assert run(model([{"match": ALL, "direct_response": {"status": 503}}])).clusters == set()
    assert run(model([DECIDED]), Router.DECIDES).clusters == {"chosen"}


def test_members_are_read_in_both_spellings() -> None:
    written = {"routeConfig": [{"typed_config": {"@type": "a.B", "my.Key": 1}}]}
    assert plain(written) == {"route_config": [{"typed_config": {"@type": "a.B", "my.Key": 1}}]}


def test_a_listener_may_read_no_http() -> None:
    proxy = parts.typed("raw", "extensions.filters.network.tcp_proxy.v3.TcpProxy", stat_prefix="s", cluster="client")
    listener = {**parts.listener("l", {}), "filter_chains": [{"filters": [proxy]}]}
    raw = Model(parts.bootstrap([listener], [parts.server("client")]))
    assert run(raw) == Outcome(frozenset({"client"}))
    assert (raw.listeners, raw.tiers) == (1, ())


def test_what_tiers_are_compared_with_is_told() -> None:
    matcher = {"name": "X-Privacy-Tier", "string_match": {"exact": "public"}}
    assert model([to("silent", matcher)]).tiers == ("public",)


def test_what_is_not_known_is_not_guessed() -> None:
    lua = parts.typed("lua", "extensions.filters.http.lua.v3.Lua")
    with pytest.raises(NotImplementedError, match="HTTP filter"):
        run(model(filters=(lua,)))
    with pytest.raises(NotImplementedError, match="VirtualHost"):
        run(model(host={"matcher": {}}))
