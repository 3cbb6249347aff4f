"""What stands in front of clusters, broken on purpose: programs, the verifier, and the metadata that both go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_broken import BLOCKING, OPEN, RESTRICTING, Mutant, both, clusters, manager, route
from extproc_router.lab.hunt.envoy_chains import spare, specifier, tells
from extproc_router.lab.hunt.envoy_files import VERIFIER

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.lab.hunt.envoy_broken import Edit
    from extproc_router.lab.hunt.envoy_parts import Part

_ATTEMPTS = "extproc_router.attempts"
_CASCADE = "extproc_router.cascade"


def _cluster(file: Part, name: str) -> Part:
    return next(cluster for cluster in clusters(file) if cluster["name"] == name)


def _filters(file: Part, cluster: str = "vault") -> dict[str, Part]:
    """Return the configs of the filters in front of a cluster, by name."""
    [options] = _cluster(file, cluster)["typed_extension_protocol_options"].values()
    return {entry["name"]: entry["typed_config"] for entry in options["http_filters"]}


def _verifies(**members: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the verifier's filter say this."""
    return lambda file: _filters(file)["llm.verify"].update(members)


def _program(change: Callable[[str], str]) -> Edit:
    """Change the Lua program of a cluster."""

    def edit(file: Part) -> None:
        source = _filters(file)["llm.model"]["default_source_code"]
        source["inline_string"] = change(source["inline_string"])

    return edit


def _moved(file: Part) -> None:
    """Have the verifier stand somewhere else."""
    address = {"socket_address": {"address": "verifier.example", "port_value": 9002}}
    verifier = _cluster(file, VERIFIER)
    verifier["type"] = "STRICT_DNS"
    verifier["load_assignment"]["endpoints"] = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]


def _reads(**modes: str) -> Edit:
    return lambda file: _filters(file)["llm.verify"]["processing_mode"].update(modes)


def _says(name: str, type_: str, **members: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the route of cascades say something to a filter."""
    config = parts.typed("", type_, **members)["typed_config"]
    return lambda file: route(file, "cascade").setdefault("typed_per_filter_config", {}).update({name: config})


def _by_header(namespace: str, key: str) -> Edit:
    """Let clients write metadata."""
    rule = {
        "header": "x-plan",
        "on_header_present": {"metadata_namespace": namespace, "key": key, "type": "PROTOBUF_VALUE"},
    }
    added = parts.typed("h2m", "extensions.filters.http.header_to_metadata.v3.Config", request_rules=[rule])
    return lambda file: manager(file)["http_filters"].insert(0, added)


def _mirrored(file: Part) -> None:
    [options] = _cluster(file, VERIFIER)["typed_extension_protocol_options"].values()
    options["request_mirror_policies"] = [{"cluster": "audit"}]


_EVERYWHERE = {"disallow_all": True, "allow_expression": {"regex": "x-.*"}}
_PER_ROUTE = "extensions.filters.http.ext_proc.v3.ExtProcPerRoute"
_ELSEWHERE = {"envoy_grpc": {"cluster_name": "openai"}}
_CODE = {"inline_string": "function envoy_on_request(handle) end"}

MUTANTS: tuple[Mutant, ...] = (
    # --- programs
    Mutant("another program in front of a cluster", OPEN, _program(lambda _: _CODE["inline_string"])),
    Mutant("our program with one byte changed", OPEN, _program(
        lambda text: text.replace("x-llm-next", "x-llm-nexu", 1))),
    Mutant("our program with one line more", OPEN, _program(lambda text: f"{text}\nprint(1)\n")),
    Mutant("our program behind a call", RESTRICTING, _program(
        lambda text: text.replace('local HOST = ""', 'local HOST = os.getenv("HOST")'))),
    Mutant("our program, and another that routes choose", OPEN, lambda file: _filters(file)["llm.model"].update(
        source_codes={"other": _CODE})),
    Mutant("a program that a route gives a cluster's filter", OPEN, _says(
        "llm.model", "extensions.filters.http.lua.v3.LuaPerRoute", source_code=_CODE)),
    # --- the verifier
    Mutant("the verifier on another host", OPEN, _moved),
    Mutant("the verifier sent prompts", RESTRICTING, _reads(request_body_mode="BUFFERED")),
    Mutant("the verifier on another host, and sent prompts", BLOCKING, both(
        _moved, _reads(request_body_mode="BUFFERED"))),
    Mutant("a verifier that may ask for prompts", OPEN, _verifies(allow_mode_override=True)),
    Mutant("a model's server in the verifier's place", OPEN, _verifies(grpc_service=_ELSEWHERE)),
    Mutant("a verifier of which nobody says where it is", OPEN, _verifies(
        grpc_service={"google_grpc": {"target_uri": "verifier.example:1", "stat_prefix": "v"}})),
    Mutant("a verifier that may write any header", OPEN, _verifies(mutation_rules=_EVERYWHERE)),
    Mutant("a verifier that may write later attempts", OPEN, _verifies(
        metadata_options={"receiving_namespaces": {"untyped": [parts.CHAIN]}})),
    Mutant("the verifier's stream mirrored", OPEN, _mirrored),
    Mutant("a verifier sent elsewhere by a route", OPEN, _says(
        "llm.verify", _PER_ROUTE, overrides={"grpc_service": _ELSEWHERE})),
    Mutant("a verifier sent prompts by a route", RESTRICTING, _says(
        "llm.verify", _PER_ROUTE, overrides={"processing_mode": {"request_body_mode": "BUFFERED"}})),
    # --- what both go by
    Mutant("bodies of later attempts by a client's header", BLOCKING, _by_header(_ATTEMPTS, "attempts")),
    Mutant("the verifier's terms by a client's header", OPEN, _by_header(_CASCADE, "terms")),
    Mutant("bodies of later attempts by a constant", BLOCKING, tells(_ATTEMPTS, {"attempts": []}, 0)),
    Mutant("clusters of later attempts by a client's header", OPEN, _by_header(parts.CHAIN, "priority_groups")),
    # --- where no chain can be read: the router always writes one, but who else knows?
    Mutant("an external cluster in a chain's place", OPEN, spare("chain")),
    Mutant("an external cluster in a cascade's place", RESTRICTING, spare("cascade")),
    Mutant("a server of no model in a chain's place", OPEN, spare("chain", "audit")),
    Mutant("a chain by metadata that nobody is known to write", OPEN, lambda file: specifier(file, "chain").update(
        override_metadata_namespace="envoy.lb")),
)  # fmt: skip
