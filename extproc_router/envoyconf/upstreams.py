"""The filters in front of each cluster's servers: an attempt's own body, and the verifier that judges cascades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.envoyconf import manager, timeouts, verifying
from extproc_router.envoyconf.place import once
from extproc_router.envoyconf.render import lua

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected, Served
    from extproc_router.envoyconf.place import Finding, Place
    from extproc_router.envoyconf.table import Host, Route

_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_LUA, _CODEC = "Lua", "UpstreamCodec"


def findings(bootstrap: Place, expected: Expected) -> Iterator[Finding]:
    """Judge the filters of every cluster of models, where Envoy walks chains."""
    for served, cluster in _clusters(bootstrap, expected):
        filters = _filters(cluster)
        yield from _program(cluster, filters, served)
        yield from _order(filters, served.cluster)
        if expected.cascades and not _verifiers(filters):
            told = "has no ext_proc that judges answers: its first answers are served, however they are"
            yield cluster.mistake(f"clusters.{served.cluster}.http_filters", told)
    judges = verifiers(bootstrap, expected)
    yield from once(finding for entry in judges for finding in verifying.findings(entry, bootstrap))


def verifiers(bootstrap: Place, expected: Expected) -> list[Place]:
    """Return the ext_procs that stand in front of models: they judge answers."""
    found = (entry for _, cluster in _clusters(bootstrap, expected) for entry in _verifiers(_filters(cluster)))
    # One that several clusters share by an alias is one.
    return list({id(entry.value): entry for entry in found}.values())


def judging(host: Host, judged: list[Route], bootstrap: Place, expected: Expected) -> Iterator[Finding]:
    """Judge on which routes of a virtual host answers are judged: on those that take cascades, and no others."""
    for route in judged if expected.cascades else ():
        scopes = (route.place, host.place, host.config)
        if not any("accept-encoding" in scope.names("request_headers_to_remove") for scope in scopes):
            told = "lacks accept-encoding: where a server compresses its answers, none is judged, and each is served"
            yield route.place.mistake(f"{host.field(route)}.request_headers_to_remove", told)
    for name, entry in {entry.text("name"): entry for entry in verifiers(bootstrap, expected)}.items():
        for route in host.routes:
            flag = manager.off(entry, manager.override(host, route, name))
            if route in judged and flag.truth() is True and expected.cascades:
                told = f"{name} is disabled: no answer is judged, and every first answer is served"
                yield flag.mistake(f"{host.field(route)}.typed_per_filter_config", told)
            elif route not in judged and flag.truth() is not True and timeouts.leads_to_models(host, route, expected):
                told = f"{name} is not disabled: answers that nobody wants to judge wait for it, streams too"
                yield route.place.mistake(f"{host.field(route)}.typed_per_filter_config", told)


def _program(cluster: Place, filters: list[Place], served: Served) -> Iterator[Finding]:
    field = f"clusters.{served.cluster}.http_filters"
    sources = [entry.get("typed_config").get("default_source_code") for entry in filters if _kind(entry) == _LUA]
    wanted = lua.source(served).rstrip("\n").splitlines()
    programs = [source.text("inline_string").rstrip("\n").splitlines() for source in sources]
    if wanted in programs:
        return
    shared = wanted[lua.CONSTANTS :]
    ours = [place for place, program in enumerate(programs) if program[lua.CONSTANTS :] == shared]
    if ours:
        pairs = zip(wanted, programs[ours[0]], strict=False)
        stale = [line.split()[1] for line, found in pairs if line != found]
        said = f"{', '.join(stale)} {'is' if len(stale) == 1 else 'are'} not what the config says"
        told = f"{said}: a body may name a model that its server does not know (404)"
        yield sources[ours[0]].mistake(f"{field}.lua", f"{told}: render it again")
    else:
        told = (
            "lacks the Lua of `extproc-router envoy render`: where this is not a chain's first model, the body names "
        )
        yield (sources[0] if sources else cluster).mistake(f"{field}.lua", f"{told}the first one, which is a 404 here")


def _order(filters: list[Place], name: str) -> Iterator[Finding]:
    kinds = [_kind(entry) for entry in filters]
    if bootstraps.EXT_PROC in kinds and _LUA in kinds and kinds.index(bootstraps.EXT_PROC) > kinds.index(_LUA):
        told = "the verifier stands behind Lua: answers pass backwards, so Lua takes its verdict away"
        yield filters[kinds.index(bootstraps.EXT_PROC)].mistake(f"clusters.{name}.http_filters.order", told)
    if kinds and kinds[-1] != _CODEC:
        told = "the last filter is not upstream_codec: Envoy does not start"
        yield filters[-1].mistake(f"clusters.{name}.http_filters.order", told)


def _clusters(bootstrap: Place, expected: Expected) -> Iterator[tuple[Served, Place]]:
    known = {served.cluster: served for served in expected.served}
    for place in bootstrap.get("static_resources").each("clusters"):
        if (name := place.text("name")) in known:
            yield known[name], place


def _filters(cluster: Place) -> list[Place]:
    return cluster.get("typed_extension_protocol_options").get(_OPTIONS).each("http_filters")


def _verifiers(filters: list[Place]) -> list[Place]:
    return [entry for entry in filters if _kind(entry) == bootstraps.EXT_PROC]


def _kind(entry: Place) -> str:
    return entry.get("typed_config").kind()
