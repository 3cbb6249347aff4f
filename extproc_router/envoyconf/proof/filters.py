"""The HTTP filters of a connection manager: where the router is asked, and who else may steer or read a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import manager as managers
from extproc_router.envoyconf import matching, patterns
from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof import known, mutations
from extproc_router.envoyconf.proof.clusters import upstream_filters
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.message import entries, items, kind, members, text
from extproc_router.envoyconf.proof.mutations import How
from extproc_router.policy import privacy
from extproc_router.router import CLUSTER_HEADER, DECISION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


_HTTP = "envoy.extensions.filters.http."
EXT_PROC = f"{_HTTP}ext_proc.v3.ExternalProcessor"
_PER_ROUTE = f"{_HTTP}ext_proc.v3.ExtProcPerRoute"
_HEADER_MUTATION = f"{_HTTP}header_mutation.v3.HeaderMutation"
_HEADER_MUTATION_PER_ROUTE = f"{_HTTP}header_mutation.v3.HeaderMutationPerRoute"
_ROUTER = f"{_HTTP}router.v3.Router"
_WRAPPED = "envoy.config.route.v3.FilterConfig"
# They answer in a server's place, delay, count, check, or pack bodies otherwise; what they write is looked for.
_HARMLESS = frozenset(
    f"{_HTTP}{name}"
    for name in (
        "adaptive_concurrency.v3.AdaptiveConcurrency",
        "admission_control.v3.AdmissionControl",
        "api_key_auth.v3.ApiKeyAuth",
        "bandwidth_limit.v3.BandwidthLimit",
        "basic_auth.v3.BasicAuth",
        "buffer.v3.Buffer",
        "compressor.v3.Compressor",
        "cors.v3.Cors",
        "credential_injector.v3.CredentialInjector",
        "csrf.v3.CsrfPolicy",
        "decompressor.v3.Decompressor",
        "fault.v3.HTTPFault",
        "grpc_stats.v3.FilterConfig",
        "header_to_metadata.v3.Config",
        "health_check.v3.HealthCheck",
        "ip_tagging.v3.IPTagging",
        "jwt_authn.v3.JwtAuthentication",
        "local_ratelimit.v3.LocalRateLimit",
        "rbac.v3.RBAC",
        "set_metadata.v3.Config",
        "stateful_session.v3.StatefulSession",
    )
)
_SEND = (None, "DEFAULT", "SEND", 0, 1)
_BUFFERED = ("BUFFERED", 2)
# What the router reads of a request's head, beside what signals name.
_HEAD = (":method", ":path", "content-type", "content-encoding", "content-length", "transfer-encoding")


class Chain(Struct, frozen=True):
    """The filters of one manager.

    Attributes:
        ext_proc: the config of the filter that asks the router; None where there is none.
        allows: whether Envoy goes on without the router, by its config.
        names: of all filters, by which routes configure them.
        namespaces: of metadata that the router alone writes.
        doubts: what is not understood.
    """

    ext_proc: Place | None
    allows: bool
    names: frozenset[str]
    namespaces: frozenset[str]
    doubts: tuple[Doubt, ...]


def read(manager: Place, said: dict[str, Place], *, headers: Iterable[str]) -> Chain:
    """Read the filters of a manager.

    Args:
        manager: its config.
        said: the same, as `members` reads it.
        headers: those that signals read.
    """
    found = managers.ext_procs(manager)
    ours = found[0].config if found else None
    doubts: list[Doubt] = []
    places = items(said.get("http_filters"))
    is_before = ours is not None
    written = set(_namespaces(ours))
    for place in places:
        entry = members(place)
        field = f"http_filters.{place.text('name')}"
        doubts += misread(field, entry, known.HTTP_FILTER)
        config = entry.get("typed_config")
        if config is None:
            doubts.append(Doubt(place, field, "it says nothing of its type"))
        elif ours is not None and config.value is ours.value:
            is_before = False
            doubts += _processor(field, config, headers)
        else:
            doubts += _filter(field, config, is_before=is_before)
            written -= set(mutations.mentioned(config, written))
    return Chain(
        ours,
        ours is not None and ours.get("failure_mode_allow").value is True,
        frozenset(place.text("name") for place in places),
        frozenset(written),
        tuple(doubts),
    )


def per_route(field: str, said: Mapping[str, Place], names: frozenset[str]) -> Iterator[Doubt]:
    """Yield what a route, or what is above it, says to filters and is not understood."""
    for name, place in entries(said.get("typed_per_filter_config")):
        config = members(place).get("config", place) if kind(place) == _WRAPPED else place
        where = f"{field}.typed_per_filter_config.{name}"
        if kind(config) == _PER_ROUTE:
            overrides = members(config).get("overrides")
            inner = members(overrides) if overrides else {}
            yield from misread(f"{where}.overrides", inner, known.EXT_PROC_OVERRIDES)
            if "processing_mode" in inner:
                yield from _modes(f"{where}.overrides", inner)
        elif kind(config) == _HEADER_MUTATION_PER_ROUTE:
            yield from _mutates(where, config, is_before=False)
        elif name in names:
            yield from _mentions(where, config)


def _namespaces(ext_proc: Place | None) -> Iterator[str]:
    if ext_proc is not None:
        names = ext_proc.get("metadata_options").get("receiving_namespaces").get("untyped").value
        yield from (name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _filter(field: str, config: Place, *, is_before: bool) -> Iterator[Doubt]:
    """Judge a filter that is not the router's; `is_before` where it comes before that."""
    name = kind(config)
    if name == _ROUTER:
        said = members(config)
        yield from misread(field, said, known.ROUTER)
        yield from upstream_filters(f"{field}.upstream", said.get("upstream_http_filters"))
    elif name == _HEADER_MUTATION:
        yield from _mutates(field, config, is_before=is_before)
    elif name in _HARMLESS:
        yield from _mentions(field, config)
    elif name == EXT_PROC:
        yield Doubt(config, field, "a second ext_proc may read and rewrite what the router decides")
    else:
        yield Doubt(config, field, f"a filter of the type {name.rpartition('.')[2] or '?'} may steer or send requests")


def _mentions(field: str, config: Place) -> Iterator[Doubt]:
    for header in mutations.mentioned(config):
        yield Doubt(config, field, f"may write {header}, which routes go by")


def _mutates(field: str, config: Place, *, is_before: bool) -> Iterator[Doubt]:
    said = members(config)
    inner = members(said["mutations"]) if "mutations" in said else {}
    for header, how, place in mutations.touched(items(inner.get("request_mutations"))):
        # Before the router is asked, to remove what clients cannot have set any more changes nothing.
        if not (is_before and how is How.REMOVE and header != privacy.HEADER):
            yield Doubt(place, field, f"{how.value} {header}, which routes go by")


def _processor(field: str, config: Place, headers: Iterable[str]) -> Iterator[Doubt]:
    """Judge the filter that asks the router."""
    said = members(config)
    yield from misread(field, said, known.EXT_PROC)
    yield from _modes(field, said)
    rules = members(said["mutation_rules"]) if "mutation_rules" in said else {}
    for header in (CLUSTER_HEADER, DECISION_HEADER):
        if not _may_write(rules, header):
            yield Doubt(config, f"{field}.mutation_rules", f"the router may not write {header}: decisions get lost")
    if "forward_rules" in said:
        forwarded = members(said["forward_rules"])
        for header in (privacy.HEADER, *_HEAD, *headers):
            if _hides(forwarded, header):
                yield Doubt(said["forward_rules"], f"{field}.forward_rules", f"may hide {header} from the router")


def _modes(field: str, said: Mapping[str, Place]) -> Iterator[Doubt]:
    place = said.get("processing_mode")
    modes = members(place) if place else {}
    body = modes["request_body_mode"].value if "request_body_mode" in modes else None
    head = modes["request_header_mode"].value if "request_header_mode" in modes else None
    if body not in _BUFFERED or head not in _SEND:
        at = next(iter(said.values())) if place is None else place
        yield Doubt(at, f"{field}.processing_mode", "the router may not see whole requests before they go on")


def _may_write(rules: dict[str, Place], header: str) -> bool:
    if _matches(rules.get("disallow_expression"), header) is not False:
        return False
    return _matches(rules.get("allow_expression"), header) is True or not (
        "disallow_all" in rules and rules["disallow_all"].value is True
    )


def _matches(matcher: Place | None, header: str) -> bool | None:
    if matcher is None:
        return False
    try:
        return patterns.compiled(text(members(matcher).get("regex"))).fullmatch(header) is not None
    except patterns.BadPattern:
        return None


def _hides(rules: dict[str, Place], header: str) -> bool:
    def any_of(name: str) -> list[bool | None]:
        return [matching.string(place, header) for place in items(members(rules[name]).get("patterns"))]

    if "disallowed_headers" in rules and any(hit is not False for hit in any_of("disallowed_headers")):
        return True
    return "allowed_headers" in rules and True not in any_of("allowed_headers")
