"""Chains of models broken on purpose, in ways that the model of Envoy can run: each lets a private request out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.lab.hunt import envoy_files
from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_broken import (
    OPEN,
    RESTRICTING,
    Mutant,
    both,
    clusters,
    early,
    manager,
    no_prefix,
    route,
    routes,
)
from extproc_router.lab.hunt.envoy_site import Model, Site

if TYPE_CHECKING:
    from extproc_router.lab.hunt.envoy_broken import Edit
    from extproc_router.lab.hunt.envoy_parts import Part

MIXED = Site(OPEN.tiers, (Model("trusted", "local", 2), Model("second", "vault", 2), Model("wide", "vault", 0)))
"""A cluster has models of several tiers: no chain is rendered."""


def specifier(file: Part, name: str) -> Part:
    """Return what a route says of chains."""
    plugin = route(file, name)["route"]["inline_cluster_specifier_plugin"]
    found: Part = plugin["extension"]["typed_config"]
    return found


def spare(name: str, cluster: str = "openai") -> Edit:
    """Have a route of chains lead somewhere where it can read none."""
    return lambda file: specifier(file, name).update(
        priority_groups=[{"name": "spare", "clusters": [{"cluster_name": cluster, "weight": 1}]}]
    )


def received(*namespaces: str) -> Edit:
    """Have Envoy take just this metadata from the router."""

    def edit(file: Part) -> None:
        options = manager(file)["http_filters"][0]["typed_config"]["metadata_options"]
        options["receiving_namespaces"]["untyped"] = list(namespaces)

    return edit


def tells(namespace: str, value: Any, place: int) -> Edit:  # noqa: ANN401 - plain data
    """Put a filter that writes metadata in front of the router's (0), or behind it (1)."""
    entry = {"metadata_namespace": namespace, "allow_overwrite": True, "value": value}
    added = parts.typed("set", "extensions.filters.http.set_metadata.v3.Config", metadata=[entry])
    return lambda file: manager(file)["http_filters"].insert(place, added)


def _beside(**headers: Any) -> Edit:  # noqa: ANN401 - plain data
    """Put a route in front that walks what stands in the metadata for all that have such a header."""

    def edit(file: Part) -> None:
        match = {"prefix": "/", "headers": [headers]}
        action = parts.groups(["openai"], override_metadata_namespace=parts.CHAIN)
        routes(file).insert(0, {"name": "beside", "match": match, "route": action})

    return edit


def _chained(file: Part) -> None:
    """Walk chains where none is rendered."""
    file.update(envoy_files.chained(MIXED))


def _grouped(file: Part) -> None:
    """Have the cluster of a later attempt hold an external one."""
    [vault] = [cluster for cluster in clusters(file) if cluster["name"] == "vault"]
    spare_one = {**vault, "name": "vault-own"}
    vault.clear()
    vault.update(parts.chain("aggregate", "vault", ["vault-own", "openai"]))
    clusters(file).append(spare_one)


_ANY = {"priority_groups": [{"name": "any", "clusters": [{"cluster_name": "openai", "weight": 1}]}]}

MUTANTS: tuple[Mutant, ...] = (
    Mutant("a chain that clients name, and an external cluster where none can be read", OPEN, both(
        early(no_prefix), spare("chain"))),
    Mutant("the same of a cascade", RESTRICTING, both(early(no_prefix), spare("cascade"))),
    Mutant("a chain's metadata not received, and an external cluster in its place", OPEN, both(
        received("extproc_router.decision"), spare("chain"))),
    Mutant("a cascade's metadata of another name", OPEN, both(
        lambda file: specifier(file, "cascade").update(override_metadata_namespace="chain"), spare("cascade"))),
    Mutant("a chain that a filter behind the router makes longer", OPEN, tells(parts.CHAIN, _ANY, 1)),
    Mutant("a chain that a filter writes, for whatever a client marks", OPEN, both(
        tells(parts.CHAIN, _ANY, 0), _beside(name="x-route", present_match=True))),
    Mutant("a route of chains for whatever a client marks", OPEN, _beside(name="x-route", present_match=True)),
    Mutant("a mirror of chains", OPEN, lambda file: route(file, "chain")["route"].update(
        request_mirror_policies=[{"cluster": "audit"}])),
    Mutant("a mirror of cascades, to the cluster that a header names", OPEN, lambda file: route(file, "cascade")[
        "route"].update(request_mirror_policies=[{"cluster_header": "x-route"}])),
    Mutant("a later attempt's cluster made of several", OPEN, _grouped),
    Mutant("a chain over a cluster that has models of several tiers", MIXED, _chained),
)  # fmt: skip
