"""What in an envoy.yaml would make the router's decisions come to nothing, found before a request does."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import ProcessingModeBodySendMode as BodySendMode

from extproc_router.config.meaning import did_you_mean
from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.extproc.codec import METADATA_NAMESPACE
from extproc_router.router import CLUSTER_HEADER, DECISION_HEADER
from extproc_router.server.app import ENVELOPE_BYTES
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import ExternalProcessor

    from extproc_router.config.loader import Config

_READABLE = (BodySendMode.BUFFERED, BodySendMode.FULL_DUPLEX_STREAMED)
# Envoy's own, where message_timeout is absent.
_DEFAULT_MESSAGE_TIMEOUT = timedelta(milliseconds=200)
# Envoy's own, where neither the virtual host nor the listener says otherwise.
_DEFAULT_BUFFER_BYTES = 1024 * 1024
_WRITTEN_HEADERS = (CLUSTER_HEADER, DECISION_HEADER, "content-length", "content-encoding")


def find_mistakes(config: Config, bootstrap: dict[str, Any], file: str) -> tuple[Mistake, ...]:
    """Compare a router config with an Envoy bootstrap.

    Args:
        config: checked by itself already.
        bootstrap: as `bootstrap.read` returns it.
        file: the bootstrap's name.

    Returns:
        Every mistake found; those of clusters stand at the model that names them.

    Raises:
        StartupError: the ext_proc filter has a field that Envoy does not know.
    """
    return (*_clusters(config, bootstrap, file), *_ext_proc(config, bootstrap, file))


def _clusters(config: Config, bootstrap: dict[str, Any], file: str) -> Iterator[Mistake]:
    declared = bootstraps.cluster_names(bootstrap)
    for index, candidate in enumerate(config.candidates):
        if candidate.cluster not in declared:
            hint = did_you_mean(candidate.cluster, declared)
            message = f"{file} declares no cluster {candidate.cluster!r}{hint}"
            yield config.document.mistake(("models", index, "cluster"), message)


def _ext_proc(config: Config, bootstrap: dict[str, Any], file: str) -> Iterator[Mistake]:
    filters = list(bootstraps.ext_proc_filters(bootstrap))
    if not filters:
        yield Mistake(file, 1, "http_filters", "there is no envoy.filters.http.ext_proc: the router is never asked")
    for manager, processor in filters:
        for field, message in _processor_mistakes(config, processor):
            yield Mistake(file, 1, f"ext_proc.{field}", message)
        for host in _virtual_hosts(manager):
            yield from _buffer_mistakes(config, host, file)


def _virtual_hosts(manager: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the virtual hosts that stand in the file; none where routes are discovered (RDS)."""
    routes = manager.get("route_config")
    hosts = routes.get("virtual_hosts") if isinstance(routes, dict) else None
    return [host for host in hosts if isinstance(host, dict)] if isinstance(hosts, list) else []


def _buffer_mistakes(config: Config, host: dict[str, Any], file: str) -> Iterator[Mistake]:
    limit, cap = int(host.get("request_body_buffer_limit", _DEFAULT_BUFFER_BYTES)), config.limits.max_body_bytes
    field = f"virtual_hosts.{host.get('name', '?')}.request_body_buffer_limit"
    if limit < cap:
        yield Mistake(file, 1, field, f"{limit} is below limits.max_body_bytes ({cap}): Envoy answers 413 first")
    elif limit > cap + ENVELOPE_BYTES:
        message = f"{limit} is more than {ENVELOPE_BYTES} above limits.max_body_bytes ({cap}): the router hangs up"
        yield Mistake(file, 1, field, message)


def _processor_mistakes(config: Config, processor: ExternalProcessor) -> Iterator[tuple[str, str]]:
    mode = processor.processing_mode.request_body_mode if processor.processing_mode else BodySendMode.NONE
    if mode not in _READABLE:
        yield "processing_mode.request_body_mode", f"{mode.name}: prompts are read in BUFFERED alone"
    deadline = timedelta(milliseconds=config.limits.encoder_deadline_ms)
    timeout = processor.message_timeout or _DEFAULT_MESSAGE_TIMEOUT
    if timeout <= deadline:
        yield (
            "message_timeout",
            (
                f"{_milliseconds(timeout)} ms is not above limits.encoder_deadline_ms ({_milliseconds(deadline)} ms): "
                "Envoy gives up before the router sheds"
            ),
        )
    yield from _mutation_mistakes(processor)
    receiving = processor.metadata_options.receiving_namespaces if processor.metadata_options else None
    if receiving is None or METADATA_NAMESPACE not in receiving.untyped:
        yield (
            "metadata_options.receiving_namespaces.untyped",
            f"lacks {METADATA_NAMESPACE}: decisions will be missing from Envoy's access log",
        )


def _mutation_mistakes(processor: ExternalProcessor) -> Iterator[tuple[str, str]]:
    rules = processor.mutation_rules
    if rules is None or not rules.disallow_all:
        yield "mutation_rules", "disallow_all is not set: a router that is taken over may write any header"
        return
    allowed = re.compile(rules.allow_expression.regex) if rules.allow_expression else None
    for name in _WRITTEN_HEADERS:
        if allowed is None or not allowed.fullmatch(name):
            yield "mutation_rules.allow_expression", f"does not allow {name}, which the router sets"


def _milliseconds(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
