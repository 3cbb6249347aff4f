"""What an ext_proc filter itself must say so that the router can read a request and steer it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ExternalProcessor,
    ExternalProcessorRouteCacheAction,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeBodySendMode as BodySendMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeHeaderSendMode as HeaderSendMode,
)

from extproc_router.config.meaning import did_you_mean
from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.envoyconf import patterns
from extproc_router.extproc.codec import METADATA_NAMESPACE
from extproc_router.router import CLUSTER_HEADER, DECISION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding, Place

# Envoy's own, where message_timeout is absent.
_DEFAULT_MESSAGE_TIMEOUT = timedelta(milliseconds=200)
_WRITTEN_HEADERS = (CLUSTER_HEADER, DECISION_HEADER, "content-length", "content-encoding", "retry-after")


def findings(place: Place, bootstrap: Place, expected: Expected) -> Iterator[Finding]:
    """Judge one filter's `ExternalProcessor`."""
    fields = {key: value for key, value in place.value.items() if key != "@type"}
    try:
        processor = ExternalProcessor.from_dict(fields)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        yield place.mistake("ext_proc", f"Envoy does not know this: {' '.join(str(error).split())}")
        return
    yield from _modes(place, processor)
    yield from _timeout(place, processor, expected)
    yield from _service(place, processor, bootstrap)
    yield from _mutations(place.get("mutation_rules"), processor)
    options = processor.metadata_options
    receiving = options.receiving_namespaces if options else None
    if receiving is None or METADATA_NAMESPACE not in receiving.untyped:
        yield place.get("metadata_options").mistake(
            "ext_proc.metadata_options.receiving_namespaces.untyped",
            f"lacks {METADATA_NAMESPACE}: decisions will be missing from Envoy's access log",
        )


def _modes(place: Place, processor: ExternalProcessor) -> Iterator[Finding]:
    mode, where = processor.processing_mode, place.get("processing_mode")
    body = mode.request_body_mode if mode else BodySendMode.NONE
    if body != BodySendMode.BUFFERED:
        # Measured on Envoy 1.40: with the streamed modes, a route that retries sends a body twice over.
        yield where.get("request_body_mode").mistake(
            "ext_proc.processing_mode.request_body_mode", f"{_name(body)}: prompts are read in BUFFERED alone"
        )
    if mode and mode.request_header_mode == HeaderSendMode.SKIP:
        yield where.get("request_header_mode").mistake(
            "ext_proc.processing_mode.request_header_mode", "SKIP: Envoy picks the route before the body is read"
        )
    if processor.route_cache_action == ExternalProcessorRouteCacheAction.RETAIN:
        yield place.get("route_cache_action").mistake(
            "ext_proc.route_cache_action", "RETAIN: Envoy keeps the route that it had before the router decided"
        )
    if processor.disable_clear_route_cache:
        yield place.get("disable_clear_route_cache").mistake(
            "ext_proc.disable_clear_route_cache", "Envoy keeps the route that it had before the router decided"
        )
    if processor.observability_mode:
        yield place.get("observability_mode").mistake(
            "ext_proc.observability_mode", "Envoy does not wait for the router, and ignores what it says"
        )


def _timeout(place: Place, processor: ExternalProcessor, expected: Expected) -> Iterator[Finding]:
    timeout = _DEFAULT_MESSAGE_TIMEOUT if processor.message_timeout is None else processor.message_timeout
    deadline, what = expected.limits.encoder_deadline_ms, "limits.encoder_deadline_ms"
    if expected.matcher_ms:
        # What the encoder says comes first: how private a request is decides whether anybody else may be asked.
        deadline, what = deadline + expected.matcher_ms, f"{what} and the matcher's deadline_ms"
    if timeout <= timedelta(milliseconds=deadline):
        yield place.get("message_timeout").mistake(
            "ext_proc.message_timeout",
            f"{round(timeout.total_seconds() * 1000)} ms is not above {what} ({deadline} ms): "
            "Envoy gives up before the router sheds",
        )


def _service(place: Place, processor: ExternalProcessor, bootstrap: Place) -> Iterator[Finding]:
    service, where = processor.grpc_service, place.get("grpc_service")
    if service is None or (service.envoy_grpc is None and service.google_grpc is None):
        yield where.mistake("ext_proc.grpc_service", "missing: the router speaks gRPC, and Envoy has no address of it")
    elif service.envoy_grpc is None:
        yield where.unchecked("ext_proc.grpc_service", "where google_grpc leads")
    elif (name := service.envoy_grpc.cluster_name) not in (known := bootstraps.cluster_names(bootstrap)):
        at, field = where.get("envoy_grpc").get("cluster_name"), "ext_proc.grpc_service.envoy_grpc.cluster_name"
        if bootstraps.discovers_clusters(bootstrap):
            yield at.unchecked(field, f"whether cluster {name!r} is discovered (CDS)")
        else:
            yield at.mistake(field, f"there is no cluster {name!r}{did_you_mean(name, known)}")


def _mutations(place: Place, processor: ExternalProcessor) -> Iterator[Finding]:
    rules = processor.mutation_rules
    if rules is None or not rules.disallow_all:
        message = "disallow_all is not set: a router that is taken over may write any header"
        yield place.mistake("ext_proc.mutation_rules", message)
        return
    allowed = set[str]()
    for name, matcher in (
        ("allow_expression", rules.allow_expression),
        ("disallow_expression", rules.disallow_expression),
    ):
        if matcher is None:
            continue
        try:
            pattern = patterns.compiled(matcher.regex)
        except patterns.BadPattern as error:
            yield place.get(name).mistake(
                f"ext_proc.mutation_rules.{name}", f"Envoy refuses {matcher.regex!r}: {error}"
            )
            return
        matched = {header for header in _WRITTEN_HEADERS if pattern.fullmatch(header)}
        allowed = matched if name == "allow_expression" else allowed - matched
    for header in _WRITTEN_HEADERS:
        if header not in allowed:
            yield place.get("allow_expression").mistake(
                "ext_proc.mutation_rules.allow_expression", f"does not allow {header}, which the router sets"
            )


def _name(mode: BodySendMode) -> str:
    return str(getattr(mode, "name", mode) or mode)
