"""What the ext_proc of a cluster must say so that the verifier can judge an answer, and harms none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeBodySendMode as BodySendMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeHeaderSendMode as HeaderSendMode,
)

from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.envoyconf import manager, processor, slow_clients
from extproc_router.envoyconf.place import Finding
from extproc_router.envoyconf.retries import ESCALATE
from extproc_router.extproc.codec import CASCADE_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import ExternalProcessor

    from extproc_router.envoyconf.place import Place

# Headers that the verifier sets -> what becomes of answers where it may not.
_WRITTEN = {
    ESCALATE: "answers that are doubted are served",
    "content-length": "the client of an answer that it makes shorter waits for the rest for ever",
}
# A stream's first tokens, at a speed at which people still read.
_LEAST = timedelta(seconds=1)


def findings(entry: Place, bootstrap: Place) -> Iterator[Finding]:
    """Judge one filter of a cluster."""
    place, field = entry.get("typed_config"), f"upstream.{entry.text('name')}"
    config = processor.typed(place)
    if isinstance(config, str):
        yield place.mistake(field, config)
        return
    if not config.failure_mode_allow:
        told = "is not true: with the verifier down, every answer that it would judge is a 500"
        yield place.get("failure_mode_allow").mistake(f"{field}.failure_mode_allow", told)
    yield from _modes(place, config, field)
    yield from processor.service(place, config, bootstrap, field)
    others = list(_other_server(place, bootstrap, field))
    yield from others or _server(place, bootstrap)
    forwarded = config.metadata_options.forwarding_namespaces if config.metadata_options else None
    if forwarded is None or CASCADE_NAMESPACE not in forwarded.untyped:
        told = f"lacks {CASCADE_NAMESPACE}: the verifier is not told what to judge by, and every first answer is served"
        yield place.get("metadata_options").mistake(f"{field}.metadata_options.forwarding_namespaces.untyped", told)
    rules = place.get("mutation_rules")
    allowed = processor.allowed(rules, config, _WRITTEN, f"{field}.mutation_rules")
    if isinstance(allowed, Finding):
        yield allowed
    elif lacking := [header for header in _WRITTEN if header not in allowed]:
        told = f"does not allow {', '.join(lacking)}: {'; '.join(map(_WRITTEN.__getitem__, lacking))}"
        yield rules.get("allow_expression").mistake(f"{field}.mutation_rules.allow_expression", told)


def _server(place: Place, bootstrap: Place) -> Iterator[Finding]:
    name = place.get("grpc_service").get("envoy_grpc").text("cluster_name")
    for cluster in bootstrap.get("static_resources").each("clusters"):
        if name and cluster.text("name") == name:
            yield from slow_clients.behind(cluster)


def _other_server(place: Place, bootstrap: Place, field: str) -> Iterator[Finding]:
    """Find a verifier that is the router: it takes answers for requests."""
    named = place.get("grpc_service").get("envoy_grpc")
    for entry in bootstraps.managers(bootstrap):
        for found in manager.ext_procs(entry.place):
            asked = found.config.get("grpc_service").get("envoy_grpc").text("cluster_name")
            if asked and asked == named.text("cluster_name"):
                told = (
                    f"{asked!r} is the router, which judges nothing: every first answer is served, with the "
                    "log-probabilities that nobody asked for (`serve --verify-listen` is another address)"
                )
                yield named.get("cluster_name").mistake(f"{field}.grpc_service.envoy_grpc.cluster_name", told)
                return


def _modes(place: Place, config: ExternalProcessor, field: str) -> Iterator[Finding]:
    mode, where = config.processing_mode, place.get("processing_mode")
    if mode is None or mode.response_body_mode != BodySendMode.STREAMED:
        told = "is not STREAMED: the verifier sees no answer, or a stream's only when it has ended"
        yield where.get("response_body_mode").mistake(f"{field}.processing_mode.response_body_mode", told)
    if mode and mode.response_header_mode == HeaderSendMode.SKIP:
        told = "is SKIP: the verdict stands in the headers, so every first answer is served"
        yield where.get("response_header_mode").mistake(f"{field}.processing_mode.response_header_mode", told)
    if mode and mode.request_header_mode == HeaderSendMode.SKIP:
        told = "is SKIP: the verifier does not know which attempt it sees, and every first answer is served"
        yield where.get("request_header_mode").mistake(f"{field}.processing_mode.request_header_mode", told)
    name = "send_body_without_waiting_for_header_response"
    if not config.send_body_without_waiting_for_header_response:
        told = "is not true: Envoy and the verifier wait for each other, and each answer for message_timeout, unjudged"
        yield place.get(name).mistake(f"{field}.{name}", told)
    if config.message_timeout is None:
        told = "is Envoy's default, 0.2 s: answers whose first tokens take longer are served unjudged"
        yield place.mistake(f"{field}.message_timeout", told)
    elif config.message_timeout < _LEAST:
        told = f"is {config.message_timeout.total_seconds():g} s: streams whose first tokens take longer are not judged"
        yield place.get("message_timeout").mistake(f"{field}.message_timeout", told)
