"""Random edits of an Envoy file: what people change, by mistake or on purpose, most of it unsafe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.envoy_files import OUTSIDE, SIDECAR

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from extproc_router.lab.hunt.envoy_parts import Part
    from extproc_router.lab.hunt.envoy_site import Site

_KINDS = ("exact", "prefix", "suffix", "contains")


def apply(rng: Random, site: Site, file: Part) -> tuple[Part, tuple[str, ...]]:
    """Return a copy with one to three edits, and their names."""
    copy: Part = msgspec.json.decode(msgspec.json.encode(file))
    done = []
    for edit in rng.choices(EDITS, k=rng.choice((1, 1, 2, 3))):
        edit(rng, site, copy)
        done.append(edit.__name__)
    return copy, tuple(done)


def _cluster(rng: Random, site: Site) -> str:
    return rng.choice((*site.clusters, *site.clusters, *OUTSIDE, parts.NOWHERE))


def _host(rng: Random, file: Part) -> Part:
    return rng.choice(parts.hosts(file))


def _route(rng: Random, file: Part) -> Part:
    return rng.choice(parts.routes(file))


def _matcher(rng: Random, file: Part) -> Part | None:
    found = [matcher for route in parts.routes(file) for matcher in route["match"].get("headers", ())]
    return rng.choice(found) if found else None


def swap_routes(rng: Random, _: Site, file: Part) -> None:
    """Two routes change places."""
    routes = _host(rng, file)["routes"]
    one, other = rng.randrange(len(routes)), rng.randrange(len(routes))
    routes[one], routes[other] = routes[other], routes[one]


def drop_route(rng: Random, _: Site, file: Part) -> None:
    """A route goes; the last one stays."""
    routes = _host(rng, file)["routes"]
    if len(routes) > 1:
        del routes[rng.randrange(len(routes))]


def lead_elsewhere(rng: Random, site: Site, file: Part) -> None:
    """A route leads to another cluster."""
    route = _route(rng, file)
    route.pop("direct_response", None)
    route["route"] = {"cluster": _cluster(rng, site)}


def read_another_header(rng: Random, _: Site, file: Part) -> None:
    """A route takes its cluster from another header."""
    for route in parts.routes(file):
        if "cluster_header" in route.get("route", {}):
            route["route"]["cluster_header"] = rng.choice(("x-route", "X-Selected-Cluster", "x-llm-chain"))


def weigh(rng: Random, site: Site, file: Part) -> None:
    """A route leads to several clusters by weight."""
    route = _route(rng, file)
    route.pop("direct_response", None)
    clusters: list[Part] = [{"name": _cluster(rng, site), "weight": rng.choice((0, 1, 1))} for _ in range(2)]
    clusters.append({"name": site.default.cluster, "weight": 1})
    if happens(rng, 0.2):
        clusters[0] = {"cluster_header": rng.choice(("x-selected-cluster", "x-route")), "weight": 1}
    route["route"] = {"weighted_clusters": {"clusters": clusters}}


def group(rng: Random, site: Site, file: Part) -> None:
    """A route leads to priority groups."""
    route = _route(rng, file)
    route.pop("direct_response", None)
    clusters = [_cluster(rng, site), _cluster(rng, site)]
    walked = {"override_metadata_namespace": parts.CHAIN} if happens(rng, 0.5) else {}
    route["route"] = parts.groups(clusters, **walked)
    if happens(rng, 0.5):
        route["route"]["retry_policy"] = {"retry_on": "5xx", "num_retries": 2, "refresh_cluster_on_retry": True}


def walk_without_metadata(rng: Random, site: Site, file: Part) -> None:
    """The groups that count where no chain can be read lead elsewhere; perhaps none can."""
    for route in parts.routes(file):
        plugin = route.get("route", {}).get("inline_cluster_specifier_plugin")
        if plugin is not None:
            groups = [{"name": "spare", "clusters": [{"cluster_name": _cluster(rng, site), "weight": 1}]}]
            plugin["extension"]["typed_config"]["priority_groups"] = groups
    if happens(rng, 0.3):
        for item in parts.managers(file)[0]["http_filters"]:
            if item["name"] == parts.EXT_PROC:
                item["typed_config"]["metadata_options"] = {"receiving_namespaces": {"untyped": ["other"]}}


def write_metadata(rng: Random, site: Site, file: Part) -> None:
    """A filter that writes metadata, before the router's or behind it."""
    groups = [{"name": "any", "clusters": [{"cluster_name": _cluster(rng, site), "weight": 1}]}]
    name = rng.choice((parts.CHAIN, "other"))
    entry = {"metadata_namespace": name, "allow_overwrite": True, "value": {"priority_groups": groups}}
    config = parts.typed("set", "extensions.filters.http.set_metadata.v3.Config", metadata=[entry])
    filters = rng.choice(parts.managers(file))["http_filters"]
    filters.insert(rng.randrange(len(filters)), config)


def match_a_chain(rng: Random, _: Site, file: Part) -> None:
    """A route takes what names a chain, or what does not, besides what it took."""
    matcher = {"name": "x-llm-chain", rng.choice(("present_match", "exact_match")): True}
    if "exact_match" in matcher:
        matcher["exact_match"] = rng.choice(("cascade", "fallback"))
    if happens(rng, 0.3):
        matcher["invert_match"] = True
    _route(rng, file)["match"].setdefault("headers", []).append(matcher)


def mirror(rng: Random, site: Site, file: Part) -> None:
    """A mirror: on a route, a virtual host, or the route configuration."""
    policy: Part = {"cluster": _cluster(rng, site)}
    if happens(rng, 0.2):
        policy = {"cluster_header": rng.choice(("x-selected-cluster", "x-route"))}
    forwarding = [route["route"] for route in parts.routes(file) if "route" in route]
    tables = [manager["route_config"] for manager in parts.managers(file)]
    rng.choice([*forwarding, *parts.hosts(file), *tables])["request_mirror_policies"] = [policy]


def chain(rng: Random, site: Site, file: Part) -> None:
    """A cluster that is not the sidecar's becomes a chain of others."""
    clusters = file["static_resources"]["clusters"]
    known = [cluster["name"] for cluster in clusters if "load_assignment" in cluster]
    place = rng.choice([place for place, cluster in enumerate(clusters) if cluster["name"] not in SIDECAR])
    name = clusters[place]["name"]
    members = [other for other in (_cluster(rng, site), _cluster(rng, site)) if other != name and other in known]
    if members:
        clusters[place] = parts.chain(rng.choice(("aggregate", "composite")), name, members)


def invert(rng: Random, _: Site, file: Part) -> None:
    """A matcher of a header turns round."""
    if (matcher := _matcher(rng, file)) is not None:
        matcher["invert_match"] = not matcher.get("invert_match")


def match_otherwise(rng: Random, site: Site, file: Part) -> None:
    """A matcher of a header compares in another way."""
    if (matcher := _matcher(rng, file)) is None:
        return
    value = rng.choice(site.tiers)
    value = rng.choice((value, value.upper(), value[:3], value.lower(), f"{value},{value}", ""))
    matcher.pop("present_match", None)
    matcher.pop("exact_match", None)
    kind: Part = {rng.choice(_KINDS): value or "x"}
    if happens(rng, 0.2):
        kind = {"safe_regex": {"regex": rng.choice((f".*{value}.*", f"(?i){value}", ".*", f"[^,]*{value}"))}}
    elif happens(rng, 0.3):
        kind["ignore_case"] = True
    matcher["string_match"] = kind


def treat_missing(rng: Random, _: Site, file: Part) -> None:
    """An absent header counts as an empty one."""
    if (matcher := _matcher(rng, file)) is not None:
        matcher["treat_missing_header_as_empty"] = True


def match_fewer(rng: Random, _: Site, file: Part) -> None:
    """A route takes fewer requests: by path, by query or by header."""
    match = _route(rng, file)["match"]
    which = rng.randrange(4)
    if which == 0:
        for kind in ("prefix", "path"):
            match.pop(kind, None)
        match[rng.choice(("prefix", "path", "path_separated_prefix"))] = rng.choice(("/v1", "/v1/chat/completions"))
    elif which == 1:
        match["query_parameters"] = [{"name": "x", "string_match": {"exact": "1"}}]
    elif which == 2:  # noqa: PLR2004 (the third)
        match["case_sensitive"] = False
    else:
        match.setdefault("headers", []).append({"name": rng.choice(("x-route", ":authority")), "present_match": True})


def match_more(rng: Random, _: Site, file: Part) -> None:
    """A route takes more requests: one of its matchers goes."""
    headers = _route(rng, file)["match"].get("headers", [])
    if headers:
        del headers[rng.randrange(len(headers))]


def _mutations(rng: Random, file: Part) -> list[Part]:
    [extension] = rng.choice(parts.managers(file))["early_header_mutation_extensions"]
    found: list[Part] = extension["typed_config"]["mutations"]
    return found


def drop_mutation(rng: Random, _: Site, file: Part) -> None:
    """An early mutation of headers goes; Envoy wants one."""
    mutations = _mutations(rng, file)
    if len(mutations) > 1:
        del mutations[rng.randrange(len(mutations))]


def add_mutation(rng: Random, site: Site, file: Part) -> None:
    """An early mutation of headers comes, somewhere."""
    name = rng.choice(("x-privacy-tier", "x-selected-cluster", "x-llm-decision", "x-route", "X-Privacy-Tier"))
    value = rng.choice((*site.tiers, "%REQ(x-privacy-tier)%", "%CEL(request.headers['x-route'])%", *site.clusters))
    actions = ("APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS")
    key_matcher: Part = {rng.choice(("exact", "prefix")): rng.choice(("x-privacy-tier", "x-p", "x-", "X-LLM-"))}
    mutation = rng.choice(
        (
            {"append": {"header": {"key": name, "value": value}, "append_action": rng.choice(actions)}},
            {"remove": name},
            {"remove_on_match": {"key_matcher": key_matcher}},
        )
    )
    mutations = _mutations(rng, file)
    mutations.insert(rng.randint(0, len(mutations)), mutation)


def change_mutation(rng: Random, _: Site, file: Part) -> None:
    """An early mutation of headers names its header in another case, or acts otherwise."""
    for mutation in _mutations(rng, file):
        if "append" in mutation and happens(rng, 0.5):
            mutation["append"]["append_action"] = "ADD_IF_ABSENT"
        elif "remove_on_match" in mutation and happens(rng, 0.5):
            matcher = mutation["remove_on_match"]["key_matcher"]
            for kind in _KINDS:
                if kind in matcher:
                    matcher[kind] = matcher[kind].upper()


def pass_by(rng: Random, _: Site, file: Part) -> None:
    """The router is not asked on a route, a virtual host or all of a listener."""
    tables = [manager["route_config"] for manager in parts.managers(file)]
    rng.choice([*parts.routes(file), *parts.hosts(file), *tables]).update(parts.unasked())


def drop_router(rng: Random, _: Site, file: Part) -> None:
    """The router's filter goes, or is disabled."""
    filters = rng.choice(parts.managers(file))["http_filters"]
    if happens(rng, 0.5):
        filters[:] = [item for item in filters if item["name"] != parts.EXT_PROC]
    for item in filters:
        if item["name"] == parts.EXT_PROC:
            item["disabled"] = True


def change_router(rng: Random, _: Site, file: Part) -> None:
    """The router's filter fails otherwise, or lets the router set other headers."""
    for item in parts.managers(file)[0]["http_filters"]:
        if item["name"] == parts.EXT_PROC:
            config = item["typed_config"]
            config["failure_mode_allow"] = not config.get("failure_mode_allow")
            if happens(rng, 0.3):
                config["mutation_rules"] = {"disallow_expression": {"regex": "x-(selected-cluster|llm-.*)"}}


def add_filter(rng: Random, site: Site, file: Part) -> None:
    """A filter that changes headers, before the router's or behind it."""
    change: dict[str, Any] = {"remove": rng.choice(("x-selected-cluster", "x-privacy-tier", "x-route"))}
    if happens(rng, 0.5):
        header = {"key": rng.choice(("x-privacy-tier", "x-selected-cluster")), "value": rng.choice(site.tiers)}
        change = {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
    config = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {"request_mutations": [change]},
    }
    filters = rng.choice(parts.managers(file))["http_filters"]
    filters.insert(rng.randrange(len(filters)), {"name": "envoy.filters.http.header_mutation", "typed_config": config})


def add_host(rng: Random, site: Site, file: Part) -> None:
    """A virtual host with one route."""
    route = {"match": {"prefix": rng.choice(("/", "/v1/"))}, "route": {"cluster": _cluster(rng, site)}}
    host = {"name": "more", "domains": [rng.choice(("other.example", "*.example", "a.*"))], "routes": [route]}
    hosts = rng.choice(parts.managers(file))["route_config"]["virtual_hosts"]
    if not any(set(host["domains"]) & set(each["domains"]) for each in hosts):
        hosts.append(host)


def add_route(rng: Random, site: Site, file: Part) -> None:
    """A route comes, somewhere."""
    name = rng.choice(("x-route", "x-privacy-tier", "x-llm-decision", "x-selected-cluster"))
    match: Part = {"prefix": rng.choice(("/", "/v1/chat", "/dashboards/", "/v1/files"))}
    if happens(rng, 0.5):
        match["headers"] = [{"name": name, "string_match": {rng.choice(_KINDS): rng.choice(site.tiers)}}]
    routes = _host(rng, file)["routes"]
    route = {"name": "added", "match": match, "route": {"cluster": _cluster(rng, site)}}
    routes.insert(rng.randint(0, len(routes)), route)


def retry_elsewhere(rng: Random, _: Site, file: Part) -> None:
    """A virtual host repeats requests."""
    _host(rng, file)["retry_policy"] = {"retry_on": "5xx,reset", "num_retries": rng.randint(1, 5)}


def open_port(rng: Random, site: Site, file: Part) -> None:
    """A listener that knows nothing of HTTP."""
    proxy = parts.typed(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix="raw",
        cluster=_cluster(rng, site),
    )
    listener = parts.listener("raw", {})
    listener["filter_chains"] = [{"filters": [proxy]}]
    file["static_resources"]["listeners"].append(listener)


EDITS: tuple[Callable[[Random, Site, Part], None], ...] = (
    swap_routes, drop_route, lead_elsewhere, read_another_header, weigh, group, walk_without_metadata, write_metadata,
    match_a_chain, mirror, chain, invert, match_otherwise, treat_missing, match_fewer, match_more, drop_mutation,
    add_mutation, change_mutation, pass_by, drop_router, change_router, add_filter, add_host, add_route,
    retry_elsewhere, open_port,
)  # fmt: skip
