"""HTTP filters in front of a cluster's servers: they run on every attempt, when its cluster has been chosen.

What they do to headers steers no later attempt: a cluster that a header names is not looked up again, and the clusters
of a chain stand in metadata (measured on Envoy 1.40). So it is metadata that they may not write, and bodies that they
may not send elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof import header_rules, known, mutations, scripts
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.message import items, kind, members, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.place import Place

EXT_PROC = "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"
HARMLESS = frozenset(
    {
        "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
    }
)
"""Filters that send nothing elsewhere, and come too late to steer."""

_NO_BODY = ("NONE", 0)
_NO_TRAILERS = ("DEFAULT", "SKIP", 0, 2)
_PSEUDO = (":path", ":authority", ":method", ":scheme", "host")


def doubts(field: str, filters: Place | None, *, own: bool) -> Iterator[Doubt]:
    """Yield the filters that may do more than they should.

    Args:
        field: of the message that has them.
        filters: its list.
        own: whether it is a cluster's; `llm.model` and the verifier stand there alone.
    """
    for place in items(filters):
        where = f"{field}.http_filters.{place.text('name')}"
        entry = members(place)
        config = entry.get("typed_config")
        type_name = kind(config)
        yield from misread(where, entry, known.HTTP_FILTER)
        if config is not None and own and type_name == scripts.TYPE:
            yield from scripts.doubts(where, config)
        elif config is not None and own and type_name == EXT_PROC:
            yield from _verifier(where, config)
        elif type_name not in HARMLESS:
            yield Doubt(place, where, "may send what it sees elsewhere")


def verifiers(filters: Place | None) -> Iterator[Place]:
    """Yield the configs of the filters that ask somebody."""
    for place in items(filters):
        config = members(place).get("typed_config")
        if config is not None and kind(config) == EXT_PROC:
            yield config


def rewrites(filters: Place | None) -> bool:
    """Whether servers may see another path, or host, than the one that routes have seen."""
    for place in items(filters):
        config = members(place).get("typed_config")
        if config is not None and kind(config) == scripts.TYPE:
            if scripts.writes_host(config):
                return True
        elif any(word.startswith(":") for word in strings(place.value)):
            return True
    return False


def _verifier(field: str, config: Place) -> Iterator[Doubt]:
    """Judge an ext_proc: it may read answers; no prompt, and it may write nothing that steers."""
    said = members(config)
    yield from misread(field, said, known.EXT_PROC)
    modes = members(said["processing_mode"]) if "processing_mode" in said else {}
    for name, allowed in (("request_body_mode", _NO_BODY), ("request_trailer_mode", _NO_TRAILERS)):
        if name in modes and modes[name].value not in allowed:
            yield Doubt(modes[name], f"{field}.processing_mode", "it is to judge answers, and is sent prompts")
    if "allow_mode_override" in said and said["allow_mode_override"].truth() is not False:
        yield Doubt(said["allow_mode_override"], f"{field}.allow_mode_override", "with it, it may ask for prompts")
    metadata = members(said["metadata_options"]) if "metadata_options" in said else {}
    if "receiving_namespaces" in metadata:
        why = "it may write metadata, and with it the clusters of later attempts: take it out"
        yield Doubt(metadata["receiving_namespaces"], f"{field}.metadata_options", why)
    rules = members(said["mutation_rules"]) if "mutation_rules" in said else {}
    loose = [header for header in (*mutations.OURS, *_PSEUDO) if not header_rules.never(rules, header)]
    if loose:
        why = f"it may write {', '.join(loose)}: say `disallow_all: true`, and which headers it may"
        yield Doubt(config, f"{field}.mutation_rules", why)
