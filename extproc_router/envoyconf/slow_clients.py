"""Whether Envoy outlives clients, or a verifier, that read slowly while an answer is judged.

Envoy 1.40 (measured): where a client has it stop, or go on, reading from a model whose answer it has in full, while a
filter of the cluster still holds a part of that, it ends with a segmentation fault. What it holds for a client must be
more than what the verifier stays for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extproc_router.verifier.bodies import MAX_STREAM_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.place import Finding, Place

LEAST_BYTES: Final = 2 * MAX_STREAM_BYTES
"""Of one stream: what the verifier stays for, and as much for what is on its way."""

LEAST_CONNECTION_BYTES: Final = 8 * MAX_STREAM_BYTES
"""Of a connection, which many streams may share: a client that pauses does not fill it soon."""

_CONNECTION, _STREAM = "per_connection_buffer_limit_bytes", "initial_stream_window_size"
_DEFAULT_CONNECTION_BYTES: Final = 1 << 20


def findings(listener: Place, manager: Place) -> Iterator[Finding]:
    """Judge a listener whose connection manager has a route on which answers are judged."""
    connection = listener.get(_CONNECTION)
    limit = connection.whole() if connection.present else _DEFAULT_CONNECTION_BYTES
    if limit and limit < LEAST_CONNECTION_BYTES:  # 0 is no limit; what is no number is told with the bodies' limits
        yield connection.mistake(
            f"listeners.{listener.text('name') or '?'}.{_CONNECTION}", _told(limit, LEAST_CONNECTION_BYTES)
        )
    window = manager.get("http2_protocol_options").get(_STREAM)
    size = window.whole() if window.present else LEAST_BYTES  # Envoy's default is as much
    if size is not None and size < LEAST_BYTES:
        yield window.mistake(f"http2_protocol_options.{_STREAM}", _told(size, LEAST_BYTES))


def behind(cluster: Place) -> Iterator[Finding]:
    """Judge the cluster of a verifier."""
    limit = cluster.get(_CONNECTION)
    held = limit.whole() if limit.present else _DEFAULT_CONNECTION_BYTES
    if held and held < LEAST_CONNECTION_BYTES:
        told = _told(held, LEAST_CONNECTION_BYTES, "a verifier that is behind by as much when it is given up")
        yield limit.mistake(f"clusters.{cluster.text('name')}.{_CONNECTION}", told)


def _told(
    limit: int, least: int, who: str = "a client that takes an answer of a cascade more slowly than it comes"
) -> str:
    return f"is {limit}: {who} has Envoy 1.40 crash (write {least})"
