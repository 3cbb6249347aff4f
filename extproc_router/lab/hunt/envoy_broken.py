"""What `render` writes, broken on purpose, in ways that the model of Envoy can run: each lets a private request out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct

from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_parts import Part
from extproc_router.lab.hunt.envoy_site import Model, Site

Edit: TypeAlias = Callable[[Part], object]

_MODELS = (Model("wide", "openai", 0), Model("trusted", "local", 2), Model("middle", "vault", 1))
_TIERS = ("public", "internal", "restricted")
OPEN = Site(_TIERS, _MODELS)
"""No rule reads the content: the silent route leads to the default model, which is not cleared."""
RESTRICTING = Site(_TIERS, _MODELS, restricts=(2,))
BLOCKING = Site(_TIERS, _MODELS, closes="block")
_TIER = "x-privacy-tier"
_SELECTED = "x-selected-cluster"
_ALL = {"prefix": "/"}


class Mutant(Struct, frozen=True):
    """A file that is broken on purpose.

    Attributes:
        name: what is wrong with it.
        site: whose file it was.
        edit: breaks it.
    """

    name: str
    site: Site
    edit: Edit


def manager(file: Part) -> Part:
    """Return the only connection manager."""
    return parts.managers(file)[0]


def routes(file: Part) -> list[Part]:
    """Return the routes of the only virtual host."""
    found: list[Part] = parts.hosts(file)[0]["routes"]
    return found


def route(file: Part, name: str) -> Part:
    """Return a route by its name."""
    return next(each for each in routes(file) if each["name"] == name)


def clusters(file: Part) -> list[Part]:
    """Return all clusters."""
    found: list[Part] = file["static_resources"]["clusters"]
    return found


def actions(name: str, **members: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have a route do this instead."""
    return lambda file: route(file, name).update(route=members)


def silent(**members: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the route of what nobody decided, which is the last, do this instead."""
    return lambda file: routes(file)[-1].update(route=members)


def adds(name: str, **members: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have a route do this as well."""
    return lambda file: route(file, name)["route"].update(members)


def _closed_to(**members: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the route of private requests that nobody decided lead somewhere."""
    return actions("private_undecided", **members)


def _compares(**string_match: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the private route know the lowest tier by another comparison."""

    def edit(file: Part) -> None:
        matchers = route(file, "private_undecided")["match"]["headers"]
        matchers[:] = [
            {"name": _TIER, "present_match": True},
            {"name": _TIER, "string_match": string_match, "invert_match": True},
        ]

    return edit


def _reads(*matchers: Part, **match: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the private route match otherwise."""

    def edit(file: Part) -> None:
        route(file, "private_undecided")["match"] = {**_ALL, **match, "headers": list(matchers)}

    return edit


def _last(name: str) -> Edit:
    """Move a route to the end."""

    def edit(file: Part) -> None:
        moved = route(file, name)
        routes(file).remove(moved)
        routes(file).append(moved)

    return edit


def _first(added: Part) -> Edit:
    return lambda file: routes(file).insert(0, added)


def early(keep: Callable[[Part], bool], *added: Part) -> Edit:
    """Keep some of the early mutations, and add others behind them."""

    def edit(file: Part) -> None:
        mutations = manager(file)["early_header_mutation_extensions"][0]["typed_config"]["mutations"]
        mutations[:] = [*filter(keep, mutations), *added]

    return edit


def _not_removed(name: str) -> Callable[[Part], bool]:
    return lambda mutation: mutation.get("remove") != name


def _no_join(mutation: Part) -> bool:
    return "append" not in mutation


def no_prefix(mutation: Part) -> bool:
    """Whether an early mutation is not one that removes headers by their prefix."""
    return "remove_on_match" not in mutation


def _every(_: Part) -> bool:
    return True


def _sets(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Part:
    return {"append": {"header": {"key": name, "value": value}, "append_action": action}}


def _filter(*mutations: Part) -> Edit:
    """Put a filter that changes headers before the router's."""
    added = parts.typed(
        "envoy.filters.http.header_mutation",
        "extensions.filters.http.header_mutation.v3.HeaderMutation",
        mutations={"request_mutations": list(mutations)},
    )
    return lambda file: manager(file)["http_filters"].insert(0, added)


def both(*edits: Edit) -> Edit:
    """Do one edit after the other."""

    def edit(file: Part) -> None:
        for each in edits:
            each(file)

    return edit


def _made_of(kind: str, *members: str) -> Edit:
    """Have the private route lead to a cluster of clusters."""
    return both(_closed_to(cluster="pool"), lambda file: clusters(file).append(parts.chain(kind, "pool", members)))


def _mirrors(place: Callable[[Part], Part], **policy: str) -> Edit:
    """Mirror to a cluster of no model, or to the one that a header names."""
    return lambda file: place(file).update(request_mirror_policies=[policy or {"cluster": "audit"}])


def _listener(file: Part) -> Part:
    """Return a copy of the only listener, appended."""
    copy: Part = {**file["static_resources"]["listeners"][0], "name": "second"}
    file["static_resources"]["listeners"].append(copy)
    return copy


def _without_router(file: Part) -> None:
    route_config = {
        "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [{"match": _ALL, "route": {"cluster": "openai"}}]}]
    }
    config = {**manager(file), "route_config": route_config, "http_filters": manager(file)["http_filters"][-1:]}
    second = _listener(file)
    second["filter_chains"] = [{"filters": [{"name": "second", "typed_config": config}]}]


def _raw(file: Part) -> None:
    proxy = parts.typed(
        "envoy.filters.network.tcp_proxy",
        "extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix="raw",
        cluster="openai",
    )
    _listener(file)["filter_chains"] = [{"filters": [proxy]}]


def _another_host(file: Part) -> None:
    host: Part = {"name": "other", "domains": ["llm.example"]}
    host["routes"] = [each for each in routes(file) if each["name"] != "private_undecided"]
    manager(file)["route_config"]["virtual_hosts"].append(host)


def _unasked(file: Part) -> None:
    added = {"name": "embeddings", "match": {"prefix": "/v1/embeddings"}, "route": {"cluster": "openai"}}
    routes(file).insert(0, {**added, **parts.unasked()})


def _clean_close(file: Part) -> None:
    for item in manager(file)["http_filters"]:
        if item["name"] == parts.EXT_PROC:
            item["typed_config"]["failure_mode_allow"] = False
    silent(cluster="openai")(file)


_PRESENT = {"name": _TIER, "present_match": True}
_NOT_LOWEST = {"name": _TIER, "string_match": {"exact": "public"}, "invert_match": True}
_GROUPED = {
    **parts.groups(["local", "openai"]),
    "retry_policy": {"retry_on": "5xx", "num_retries": 2, "refresh_cluster_on_retry": True},
}

MUTANTS: tuple[Mutant, ...] = (
    # --- which requests the private route takes
    Mutant("private route removed", OPEN, lambda file: routes(file).remove(route(file, "private_undecided"))),
    Mutant("private route behind the default", OPEN, _last("private_undecided")),
    Mutant("exact match on one tier only", OPEN, _reads({"name": _TIER, "string_match": {"exact": "restricted"}})),
    Mutant("contains, in the wrong case", OPEN, _reads({"name": _TIER, "string_match": {"contains": "RESTRICTED"}})),
    Mutant("contains one tier of two", OPEN, _reads({"name": _TIER, "string_match": {"contains": "restricted"}})),
    Mutant("invert_match lost", OPEN, _reads(_PRESENT, {**_NOT_LOWEST, "invert_match": False})),
    Mutant("header misspelt in the matcher", OPEN, _reads({**_PRESENT, "name": "x-privacy-tiers"}, _NOT_LOWEST)),
    Mutant("the highest tier taken for the lowest", OPEN, _compares(exact="restricted")),
    Mutant("lowest tier known by its prefix", OPEN, _compares(prefix="public")),
    Mutant("lowest tier known by its suffix", OPEN, _compares(suffix="public")),
    Mutant("lowest tier known by contains", OPEN, _compares(contains="public")),
    Mutant("lowest tier known by a loose regex", OPEN, _compares(safe_regex={"regex": "public.*"})),
    Mutant("private route on one path only", OPEN, _reads(_PRESENT, _NOT_LOWEST, prefix="/v1/chat/")),
    Mutant(
        "private route on one query only",
        OPEN,
        _reads(_PRESENT, _NOT_LOWEST, query_parameters=[{"name": "x", "present_match": True}]),
    ),
    Mutant("private route on one virtual host only", OPEN, _another_host),
    # --- where routes lead
    Mutant("private route to an external cluster", OPEN, _closed_to(cluster="openai")),
    Mutant("private route to a cluster that is cleared for the middle tier", OPEN, _closed_to(cluster="vault")),
    Mutant("weighted: one of the clusters external", OPEN, _closed_to(
        weighted_clusters={"clusters": [{"name": "local", "weight": 99}, {"name": "openai", "weight": 1}]})),
    Mutant("weighted: one of the clusters by header", OPEN, _closed_to(
        weighted_clusters={"clusters": [{"name": "local", "weight": 1}, {"cluster_header": "x-route", "weight": 1}]})),
    Mutant("aggregate with an external member", OPEN, _made_of("aggregate", "local", "openai")),
    Mutant("composite with an external member", OPEN, _made_of("composite", "local", "openai")),
    Mutant("priority groups with an external default", OPEN, _closed_to(**parts.groups(["local", "openai"]))),
    Mutant("a retry that changes the cluster", RESTRICTING, actions("decided", **_GROUPED)),
    Mutant("cluster_header of another header", OPEN, adds("decided", cluster_header="x-route")),
    Mutant("mirror on a route", OPEN, _mirrors(lambda file: route(file, "decided")["route"])),
    Mutant("mirror on the virtual host", OPEN, _mirrors(lambda file: parts.hosts(file)[0])),
    Mutant("mirror on the route configuration", OPEN, _mirrors(lambda file: manager(file)["route_config"])),
    Mutant("mirror to the cluster that a header names", OPEN, _mirrors(
        lambda file: route(file, "decided")["route"], cluster_header="x-route")),
    # --- nobody decided
    Mutant("silent route open where content restricts", RESTRICTING, silent(cluster="openai")),
    Mutant("silent route open where content is blocked", BLOCKING, silent(cluster="local")),
    Mutant("silent route open, failure_mode_allow false: a clean end passes", RESTRICTING, _clean_close),
    Mutant("the router not asked on a route", RESTRICTING, _unasked),
    Mutant("a route for one path before all others", RESTRICTING, _first(
        {"name": "chat", "match": {"path": "/v1/chat/completions"}, "route": {"cluster": "openai"}})),
    Mutant("passed before decided", RESTRICTING, lambda file: routes(file).insert(0, route(file, "passed"))),
    Mutant("decided misspelt: what is decided falls through", RESTRICTING, lambda file: route(file, "decided").update(
        match={**_ALL, "headers": [{"name": "x-selected-clusters", "present_match": True}]})),
    Mutant("the filter of the router disabled", RESTRICTING, both(
        silent(cluster="openai"), lambda file: manager(file)["http_filters"][0].update(disabled=True))),
    Mutant("a second listener without the router", OPEN, _without_router),
    Mutant("a listener that reads no HTTP", OPEN, _raw),
    # --- who may say what
    Mutant("x-selected-cluster not removed", OPEN, early(_not_removed(_SELECTED))),
    Mutant("x-selected-cluster removed by a filter instead", OPEN, both(
        early(_not_removed(_SELECTED)), _filter({"remove": _SELECTED}))),
    Mutant("x-selected-cluster removed by a matcher in odd case", OPEN, early(
        _not_removed(_SELECTED), {"remove_on_match": {"key_matcher": {"exact": "X-Selected-Cluster"}}})),
    Mutant("x-selected-cluster set from a client's header afterwards", OPEN, early(
        _every, _sets(_SELECTED, "%REQ(x-route)%"))),
    Mutant("x-llm-decision not removed", RESTRICTING, early(no_prefix)),
    Mutant("x-llm- removed by a prefix in odd case", RESTRICTING, early(
        no_prefix, {"remove_on_match": {"key_matcher": {"prefix": "X-LLM-"}}})),
    Mutant("repeated tiers not joined", OPEN, early(_no_join)),
    Mutant("of repeated tiers, the first kept", OPEN, early(
        _no_join, _sets(_TIER, "%REQ(x-privacy-tier)%", "OVERWRITE_IF_EXISTS"))),
    Mutant("repeated tiers joined with ADD_IF_ABSENT", OPEN, early(
        _no_join, _sets(_TIER, "%CEL(request.headers['x-privacy-tier'])%", "ADD_IF_ABSENT"))),
    Mutant("tier overwritten with the lowest", OPEN, early(_every, _sets(_TIER, "public"))),
    Mutant("tier overwritten from another header", OPEN, early(
        _every, _sets(_TIER, "%REQ(x-route)%", "OVERWRITE_IF_EXISTS"))),
    Mutant("tier removed", OPEN, early(_every, {"remove": "X-Privacy-Tier"})),
    Mutant("tier removed by a prefix", OPEN, early(_every, {"remove_on_match": {"key_matcher": {"prefix": "x-p"}}})),
    Mutant("tier overwritten by a filter before the router's", OPEN, _filter(_sets(_TIER, "public"))),
)  # fmt: skip
