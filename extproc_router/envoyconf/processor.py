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
from extproc_router.envoyconf.place import UNDECIDED, Finding
from extproc_router.extproc.codec import (
    ATTEMPTS_NAMESPACE,
    CASCADE_NAMESPACE,
    CHAIN_NAMESPACE,
    METADATA_NAMESPACE,
)
from extproc_router.router import CHAIN_HEADER, CLUSTER_HEADER, DECISION_HEADER, RETRIES_HEADER, TIMEOUT_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Place

# Envoy's own, where message_timeout is absent.
_DEFAULT_MESSAGE_TIMEOUT = timedelta(milliseconds=200)
# Headers that the router sets -> what becomes of requests where it may not.
_WRITTEN = {
    CLUSTER_HEADER: UNDECIDED,
    DECISION_HEADER: "requests that it lets pass go where those go that nobody decided",
    "content-length": "a request whose body it changes is a 500",
    "content-encoding": "a body that came compressed is said to be so still, and its server answers 400",
    "retry-after": "clients that it asks to wait are not told how long",
}
_CHAINING = {
    CHAIN_HEADER: "chains are not walked: where the first model fails, the client gets its error",
    RETRIES_HEADER: "no second attempt is made: where the first model fails, the client gets its error",
    TIMEOUT_HEADER: "a model that is silent is waited for, and the next one is not asked",
}
# Metadata that it sends, likewise.
_SENT = {METADATA_NAMESPACE: "decisions will be missing from Envoy's access log"}
_WALKED = {
    CHAIN_NAMESPACE: "requests with several models go to the groups that the routes have themselves: 503",
    ATTEMPTS_NAMESPACE: "the second model gets a body that names the first one: 404",
    CASCADE_NAMESPACE: "the verifier is not told what to judge by: every first answer is served",
}


def findings(place: Place, bootstrap: Place, expected: Expected, *, walks: bool) -> Iterator[Finding]:
    """Judge the router's `ExternalProcessor`.

    Args:
        place: its config.
        bootstrap: the whole file.
        expected: what the router's config expects.
        walks: whether a route behind it walks chains.
    """
    processor = typed(place)
    if isinstance(processor, str):
        yield place.mistake("ext_proc", processor)
        return
    yield from _modes(place, processor)
    yield from _timeout(place, processor, expected)
    yield from service(place, processor, bootstrap, "ext_proc")
    walked = walks and expected.chains
    yield from _mutations(place.get("mutation_rules"), processor, {**_WRITTEN, **(_CHAINING if walked else {})})
    options = processor.metadata_options
    receiving = options.receiving_namespaces.untyped if options and options.receiving_namespaces else []
    wanted = {**_SENT, **(_WALKED if walked else {})}
    lacking = {name: lost for name, lost in wanted.items() if name not in receiving}
    if lacking:
        yield place.get("metadata_options").mistake(
            "ext_proc.metadata_options.receiving_namespaces.untyped",
            f"lacks {', '.join(lacking)}: {'; '.join(lacking.values())}",
        )


def typed(place: Place) -> ExternalProcessor | str:
    """Read an `ExternalProcessor`; or say why Envoy would not."""
    fields = {key: value for key, value in place.value.items() if key != "@type"}
    try:
        return ExternalProcessor.from_dict(fields)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        return f"Envoy does not know this, and does not start: {' '.join(str(error).split())}"


def _modes(place: Place, processor: ExternalProcessor) -> Iterator[Finding]:
    mode, where = processor.processing_mode, place.get("processing_mode")
    body = mode.request_body_mode if mode else BodySendMode.NONE
    if body != BodySendMode.BUFFERED:
        # Measured on Envoy 1.40: with the streamed modes, a route that retries sends a body twice over.
        yield where.get("request_body_mode").mistake(
            "ext_proc.processing_mode.request_body_mode",
            f"{_name(body)}: prompts are read in BUFFERED alone: {UNDECIDED}",
        )
    if mode and mode.request_header_mode == HeaderSendMode.SKIP:
        yield where.get("request_header_mode").mistake(
            "ext_proc.processing_mode.request_header_mode",
            f"SKIP: Envoy picks the route before the body is read: {UNDECIDED}",
        )
    if processor.route_cache_action == ExternalProcessorRouteCacheAction.RETAIN:
        yield place.get("route_cache_action").mistake(
            "ext_proc.route_cache_action", f"RETAIN: Envoy keeps its route when the router has decided: {UNDECIDED}"
        )
    if processor.disable_clear_route_cache:
        yield place.get("disable_clear_route_cache").mistake(
            "ext_proc.disable_clear_route_cache", f"Envoy keeps its route when the router has decided: {UNDECIDED}"
        )
    if processor.observability_mode:
        yield place.get("observability_mode").mistake(
            "ext_proc.observability_mode", f"Envoy does not wait for the router, and ignores what it says: {UNDECIDED}"
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
            "Envoy gives up before the router sheds: where it is busy, requests go where those go that nobody decided",
        )


def service(place: Place, processor: ExternalProcessor, bootstrap: Place, field: str) -> Iterator[Finding]:
    """Judge whether Envoy knows whom to ask."""
    asked, where = processor.grpc_service, place.get("grpc_service")
    if asked is None or (asked.envoy_grpc is None and asked.google_grpc is None):
        yield where.mistake(f"{field}.grpc_service", "missing: the router speaks gRPC, and Envoy has no address of it")
    elif asked.envoy_grpc is None:
        yield where.unchecked(f"{field}.grpc_service", "where google_grpc leads")
    elif (name := asked.envoy_grpc.cluster_name) not in (known := bootstraps.cluster_names(bootstrap)):
        at, named = where.get("envoy_grpc").get("cluster_name"), f"{field}.grpc_service.envoy_grpc.cluster_name"
        if bootstraps.discovers_clusters(bootstrap):
            yield at.unchecked(named, f"whether cluster {name!r} is discovered (CDS)")
        else:
            yield at.mistake(named, f"there is no cluster {name!r}{did_you_mean(name, known)}")


def allowed(place: Place, processor: ExternalProcessor, headers: Iterable[str], field: str) -> set[str] | Finding:
    """Return those of some headers that the rules let it set; or what is wrong with the rules.

    Args:
        place: of the rules.
        processor: that has them.
        headers: those that are asked for.
        field: of the rules.
    """
    rules = processor.mutation_rules
    if rules is None or not rules.disallow_all:
        return place.mistake(field, "disallow_all is not set: a router that is taken over may write any header")
    found = set[str]()
    for name, matcher in (
        ("allow_expression", rules.allow_expression),
        ("disallow_expression", rules.disallow_expression),
    ):
        if matcher is None:
            continue
        try:
            pattern = patterns.compiled(matcher.regex)
        except patterns.BadPattern as error:
            return place.get(name).mistake(f"{field}.{name}", f"Envoy refuses {matcher.regex!r}: {error}")
        matched = {header for header in headers if pattern.fullmatch(header)}
        found = matched if name == "allow_expression" else found - matched
    return found


def _mutations(place: Place, processor: ExternalProcessor, written: Mapping[str, str]) -> Iterator[Finding]:
    field = "ext_proc.mutation_rules"
    found = allowed(place, processor, written, field)
    if isinstance(found, Finding):
        yield found
        return
    for header, lost in written.items():
        if header not in found:
            told = f"does not allow {header}, which the router sets: {lost}"
            yield place.get("allow_expression").mistake(f"{field}.allow_expression", told)


def _name(mode: BodySendMode) -> str:
    return str(getattr(mode, "name", mode) or mode)
