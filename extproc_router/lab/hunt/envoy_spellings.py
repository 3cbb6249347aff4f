"""envoy/envoy.yaml in spellings that Envoy reads otherwise than YAML 1.1 does, and with side doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_broken import BLOCKING, OPEN, RESTRICTING, Mutant, clusters, manager, route, routes

if TYPE_CHECKING:
    from extproc_router.lab.hunt.envoy_broken import Edit
    from extproc_router.lab.hunt.envoy_parts import Part

_TIER = "x-privacy-tier"


def _takes(**condition: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the private route ask this of the tier."""
    match = {"prefix": "/", "headers": [{"name": _TIER, **condition}]}
    return lambda file: route(file, "private_undecided").update(match=match)


def _leads(**action: Any) -> Edit:  # noqa: ANN401 - plain data
    return lambda file: route(file, "private_undecided").update(route=action)


def _named_by_a_number(file: Part) -> None:
    _leads(cluster=1.5)(file)
    clusters(file).append({**parts.server("openai"), "name": 1.5})


def _round(file: Part) -> None:
    """Have the private route lead to the listener again."""
    [listener] = file["static_resources"]["listeners"]
    own = {**parts.server("round"), "type": "STRICT_DNS"}
    port = listener["address"]["socket_address"]["port_value"]
    address = {"socket_address": {"address": "localhost", "port_value": port}}
    own["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = address
    clusters(file).append(own)
    _leads(cluster="round")(file)


def _beside(**action: Any) -> Edit:  # noqa: ANN401 - plain data
    """Add a route to a cluster of no model, on a path that is no API's, for what is not marked."""
    match = {"prefix": "/openai/", "headers": [{"name": _TIER, "present_match": False}]}
    added = {"name": "beside", "match": match, "route": {"cluster": "audit", **action}}
    return lambda file: routes(file).insert(0, added)


def _raw(file: Part) -> None:
    proxy = parts.typed(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix="raw",
        cluster="audit",
    )
    listener = parts.listener("raw", {})
    listener["filter_chains"] = [{"filters": [proxy]}]
    file["static_resources"]["listeners"].append(listener)


def _hides(file: Part) -> None:
    pattern = {"exact": "X-PRIVACY-TIER", "ignore_case": "y"}
    for item in manager(file)["http_filters"]:
        if item["name"] == parts.EXT_PROC:
            item["typed_config"]["forward_rules"] = {"disallowed_headers": {"patterns": [pattern]}}


MUTANTS: tuple[Mutant, ...] = (
    Mutant("invert_match: y", OPEN, _takes(present_match=True, invert_match="y")),
    Mutant("invert_match in quotes", OPEN, _takes(present_match=True, invert_match="true")),
    Mutant("present_match: n", OPEN, _takes(present_match="n")),
    Mutant("the tier hidden from the router, ignore_case: y", OPEN, _hides),
    Mutant("private route to a cluster that is named by a number", OPEN, _named_by_a_number),
    Mutant("private route to a cluster that a header named by a number names", OPEN, _leads(cluster_header=1.5)),
    Mutant("private route back into the same Envoy", OPEN, _round),
    Mutant("a path rewritten to an API's, to a cluster of no model", RESTRICTING, _beside(prefix_rewrite="/v1/")),
    Mutant("the same where content is blocked, by a regex", BLOCKING, _beside(
        regex_rewrite={"pattern": {"regex": "^/openai"}, "substitution": "/v1"})),
    Mutant("a listener that reads no HTTP, to a cluster of no model", OPEN, _raw),
    Mutant("CONNECT on a route for what is not marked", OPEN, _beside(
        upgrade_configs=[{"upgrade_type": "CONNECT", "connect_config": {}}])),
    Mutant("h2c: other requests behind an upgrade", OPEN, lambda file: manager(file).update(
        upgrade_configs=[{"upgrade_type": "h2c"}])),
)  # fmt: skip
