"""A small model of Envoy 1.40: a bootstrap and one concrete request -> the clusters that it may reach.

Written from Envoy's documentation and from what was measured on it, and from nothing of `envoyconf`: the hunt compares
the two. It runs what the hunt's files are made of, and raises NotImplementedError at anything else.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from extproc_router.lab.hunt import envoy_mutations, envoy_targets
from extproc_router.lab.hunt.envoy_matchers import Headers, Message, only
from extproc_router.lab.hunt.envoy_matchers import route as route_matches
from extproc_router.lab.hunt.envoy_paths import normalized
from extproc_router.lab.hunt.envoy_request import CLOSED_CLEANLY, SPEAKS, Outcome, Router, Sent, Speak, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

_LISTENER = frozenset({"name", "address", "filter_chains", "per_connection_buffer_limit_bytes"})
_MANAGER = frozenset(
    {
        "@type", "stat_prefix", "route_config", "http_filters", "early_header_mutation_extensions", "normalize_path",
        "use_remote_address", "path_with_escaped_slashes_action", "always_set_request_id_in_response",
        "request_headers_timeout", "request_timeout", "common_http_protocol_options", "http2_protocol_options",
        "http1_safe_max_connection_duration", "local_reply_config", "access_log",
    }
)  # fmt: skip
_CHANGES = frozenset({"request_headers_to_add", "request_headers_to_remove", "typed_per_filter_config"})
_TABLE = _CHANGES | {"name", "virtual_hosts", "validate_clusters", "request_mirror_policies"}
_HOST = _CHANGES | {
    "name",
    "domains",
    "routes",
    "request_mirror_policies",
    "retry_policy",
    "request_body_buffer_limit",
    "include_request_attempt_count",
    "response_headers_to_remove",
}
_ROUTE = _CHANGES | {"name", "match", "route", "direct_response", "redirect"}
_EXT_PROC = frozenset(
    {
        "@type", "stat_prefix", "grpc_service", "failure_mode_allow", "message_timeout", "processing_mode",
        "allow_mode_override", "mutation_rules", "forward_rules", "metadata_options",
    }
)  # fmt: skip
_TYPES = "type.googleapis.com/envoy.extensions.filters."
_EXT_PROC_TYPE = f"{_TYPES}http.ext_proc.v3.ExternalProcessor"
_PER_ROUTE_TYPE = f"{_TYPES}http.ext_proc.v3.ExtProcPerRoute"
_MUTATION_TYPE = f"{_TYPES}http.header_mutation.v3.HeaderMutation"
_METADATA_TYPE = f"{_TYPES}http.set_metadata.v3.Config"
_ROUTER_TYPE = f"{_TYPES}http.router.v3.Router"
_EARLY_TYPE = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
_CHAIN = "extproc_router.chain"  # the metadata that the router writes
_TCP_TYPE = f"{_TYPES}network.tcp_proxy.v3.TcpProxy"
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_KEY = re.compile(r"[a-z][A-Za-z0-9_]*")


def plain(value: Any) -> Any:  # noqa: ANN401 - plain data
    """Return plain data with all member names as in the proto: Envoy reads lowerCamelCase too."""
    if isinstance(value, dict):
        return {
            _HUMP.sub(r"_\1", key).lower() if _KEY.fullmatch(key) else key: plain(item) for key, item in value.items()
        }
    return [plain(item) for item in value] if isinstance(value, list) else value


class Model:
    """Envoy with one bootstrap.

    Args:
        bootstrap: plain data.
    """

    def __init__(self, bootstrap: Message) -> None:
        static = plain(bootstrap)["static_resources"]
        self._clusters = {cluster["name"]: cluster for cluster in static["clusters"]}
        self._listeners = static["listeners"]

    @property
    def listeners(self) -> int:
        """How many there are."""
        return len(self._listeners)

    @cached_property
    def tiers(self) -> tuple[str, ...]:
        """What routes compare `x-privacy-tier` with."""
        found = {
            value
            for listener in self._listeners
            for chain in listener["filter_chains"]
            for network_filter in chain["filters"]
            for host in network_filter["typed_config"].get("route_config", {}).get("virtual_hosts", ())
            for route in host["routes"]
            for matcher in route["match"].get("headers", ())
            if matcher["name"].lower() == "x-privacy-tier"
            for value in matcher.get("string_match", {}).values()
            if isinstance(value, str)
        }
        return tuple(sorted(found))

    def run(self, sent: Sent, speak: Speak) -> Outcome:
        """Send a request.

        Raises:
            NotImplementedError: the file holds something on its way that the model does not know.
        """
        listener = self._listeners[sent.listener]
        only(listener, _LISTENER, "Listener")
        [chain] = listener["filter_chains"]
        only(chain, frozenset({"filters"}), "FilterChain")
        [network_filter] = chain["filters"]
        config = network_filter["typed_config"]
        if config["@type"] == _TCP_TYPE:
            only(config, frozenset({"@type", "stat_prefix", "cluster"}), "TcpProxy")
            return Outcome(frozenset(envoy_targets.leaves(config["cluster"], self._clusters)))
        only(config, _MANAGER, "HttpConnectionManager")
        return _Passage(config, self._clusters).run(sent, speak)


class _Passage:
    """One request through one connection manager."""

    def __init__(self, manager: Message, clusters: dict[str, Message]) -> None:
        self._manager, self._clusters = manager, clusters
        self._table = manager["route_config"]
        only(self._table, _TABLE, "RouteConfiguration")
        self._host: Message = {}
        self._route: Message | None = None
        self._seen: Headers = {}
        self._stale = False
        self._verdict: Verdict | None = None
        # Namespace -> names of clusters, one for each priority group.
        self._groups: dict[str, tuple[str, ...]] = {}

    def run(self, sent: Sent, speak: Speak) -> Outcome:
        headers = self._received(sent)
        for extension in self._manager.get("early_header_mutation_extensions", ()):
            if extension["typed_config"]["@type"] != _EARLY_TYPE:
                raise NotImplementedError("early_header_mutation_extensions")
            envoy_mutations.apply(extension["typed_config"]["mutations"], headers)
        self._resolve(headers)
        for http_filter in self._manager["http_filters"]:
            only(http_filter, frozenset({"name", "typed_config", "disabled"}), "HttpFilter")
            config = http_filter["typed_config"]
            match config["@type"]:
                case t if t == _EXT_PROC_TYPE:
                    if self._is_asked(http_filter) and not self._ask(config, sent, headers, speak):
                        return Outcome(frozenset(), self._verdict)
                case t if t == _MUTATION_TYPE:
                    only(config["mutations"], frozenset({"request_mutations"}), "HeaderMutation")
                    envoy_mutations.apply(config["mutations"]["request_mutations"], headers)
                    self._resolve_again(headers)
                case t if t == _METADATA_TYPE:
                    self._set_metadata(config)
                case t if t == _ROUTER_TYPE:
                    self._resolve_again(headers)
                    return Outcome(self._forward(headers), self._verdict)
                case _:
                    raise NotImplementedError("an HTTP filter")
        raise NotImplementedError("no router filter")

    def _received(self, sent: Sent) -> Headers:
        path = normalized(sent.path) if self._manager.get("normalize_path") else sent.path
        headers: Headers = {":path": [path], ":authority": [sent.host], ":method": ["POST"]}
        for name, value in sent.headers:
            headers.setdefault(name.lower(), []).append(value)
        return headers

    def _resolve(self, headers: Headers) -> None:
        """Choose the virtual host and the first route that matches; a cluster that a header names is chosen here."""
        self._host, self._route, self._seen = {}, None, dict(headers)
        found = _virtual_host(self._table["virtual_hosts"], headers[":authority"][0].lower())
        if found is not None:
            only(found, _HOST, "VirtualHost")
            self._host = found
            self._route = next((route for route in found["routes"] if route_matches(route["match"], headers)), None)
        if self._route is not None:
            only(self._route, _ROUTE, "Route")

    def _resolve_again(self, headers: Headers) -> None:
        """Choose again where the router had the route forgotten: Envoy does when a filter behind it asks for one."""
        if self._stale:
            self._resolve(headers)
            self._stale = False

    def _is_asked(self, http_filter: Message) -> bool:
        name = http_filter["name"]
        for place in (self._route or {}, self._host, self._table):
            configs = place.get("typed_per_filter_config", {})
            # The verifier stands in front of clusters, and chooses none.
            only(configs, frozenset({name, "llm.verify"}), "typed_per_filter_config")
            if name in configs:
                only(configs[name], frozenset({"@type", "disabled"}), "ExtProcPerRoute")
                if configs[name]["@type"] != _PER_ROUTE_TYPE or not configs[name].get("disabled"):
                    raise NotImplementedError("typed_per_filter_config")
                return False
        return not http_filter.get("disabled")

    def _ask(self, config: Message, sent: Sent, headers: Headers, speak: Speak) -> bool:
        """Ask the router; returns whether the request goes on."""
        only(config, _EXT_PROC, "ExternalProcessor")
        if config["processing_mode"].get("request_header_mode") == "SKIP":
            raise NotImplementedError("ProcessingMode")
        if sent.router not in SPEAKS:
            return sent.router in CLOSED_CLEANLY or bool(config.get("failure_mode_allow"))
        tiers = headers.get("x-privacy-tier")
        self._verdict = verdict = speak(None if tiers is None else ", ".join(tiers))
        if verdict.router is Router.ANSWERS:
            return False
        rules = config.get("mutation_rules", {})
        answers = (("x-llm-decision", "an-id"), ("x-selected-cluster", verdict.cluster), ("x-llm-chain", verdict.walk))
        for name, value in answers:
            if value and _may_set(rules, name):
                headers[name] = [value]
        if verdict.chain and _CHAIN in config.get("metadata_options", {}).get("receiving_namespaces", {})["untyped"]:
            # It replaces whatever stands there.
            self._groups[_CHAIN] = verdict.chain
        self._stale = True
        return True

    def _set_metadata(self, config: Message) -> None:
        """Write metadata; where some stands, lists are joined, as if it were always allowed."""
        only(config, frozenset({"@type", "metadata"}), "set_metadata")
        for entry in config["metadata"]:
            only(entry, frozenset({"metadata_namespace", "value", "allow_overwrite"}), "set_metadata")
            name = entry["metadata_namespace"]
            added = envoy_targets.clusters_of(entry["value"].get("priority_groups", ()))
            self._groups[name] = (*self._groups.get(name, ()), *added)

    def _forward(self, headers: Headers) -> frozenset[str]:
        if self._route is None or "route" not in self._route:
            return frozenset()
        mirrors: Sequence[Message] = (
            self._host.get("request_mirror_policies") or self._table.get("request_mirror_policies") or ()
        )
        return envoy_targets.reached(
            self._route["route"], tuple(mirrors), (self._seen, headers), self._clusters, self._groups
        )


def _virtual_host(hosts: Sequence[Message], authority: str) -> Message | None:
    """Choose by domain: exact, then the longest `*.suffix`, the longest `prefix.*`, then `*`; stars stand for some."""
    best: tuple[int, int] = (0, 0)
    found = None
    for host in hosts:
        for domain in host["domains"]:
            wanted = domain.lower()
            if wanted == authority:
                rank = (4, 0)
            elif wanted == "*":
                rank = (1, 0)
            elif wanted[0] == "*" and authority.endswith(wanted[1:]) and len(authority) >= len(wanted):
                rank = (3, len(wanted))
            elif wanted[-1] == "*" and authority.startswith(wanted[:-1]) and len(authority) >= len(wanted):
                rank = (2, len(wanted))
            else:
                continue
            if rank > best:
                best, found = rank, host
    return found


def _may_set(rules: Message, name: str) -> bool:
    only(rules, frozenset({"disallow_all", "allow_expression", "disallow_expression"}), "HeaderMutationRules")
    if "disallow_expression" in rules and re2.fullmatch(rules["disallow_expression"]["regex"], name):
        return False
    if "allow_expression" in rules and re2.fullmatch(rules["allow_expression"]["regex"], name):
        return True
    return not rules.get("disallow_all")
