"""Whether the bodies that the router reads are the bodies that Envoy holds.

Source of the precedence: `VirtualHost.request_body_buffer_limit` of Envoy's API, v3. That a route without an upstream
knows only the listener's limit is measured (Envoy 1.40).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf import samples, table
from extproc_router.envoyconf.place import once, shown
from extproc_router.server.app import ENVELOPE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding, Place
    from extproc_router.envoyconf.table import Host, Route

_CONNECTION = "per_connection_buffer_limit_bytes"
_REQUEST = "request_body_buffer_limit"
_OLD = "per_request_buffer_limit_bytes"
# Envoy's own, where the listener says nothing.
_DEFAULT_BYTES = 1024 * 1024


def findings(listener: Place, host: Host, served: tuple[str, ...], expected: Expected) -> Iterator[Finding]:
    """Judge the limits of every route that a request takes before the router has read it."""
    scopes = (listener, host.place, *(route.place for route in host.routes))
    bad = [place for scope in scopes for name in (_CONNECTION, _REQUEST, _OLD) if _is_bad(place := scope.get(name))]
    for place in bad:
        yield place.mistake(f"virtual_hosts.{host.name}.buffer_limit", f"{shown(place.value)} is no number of bytes")
    if bad:
        return
    first = (table.way(host, sample).route for path in served for sample in samples.undecided(path, expected.tiers))
    yield from once(finding for route in first for finding in _one(listener, host, route, expected))


def _one(listener: Place, host: Host, route: Route | None, expected: Expected) -> Iterator[Finding]:
    name, limit, place = _limit(listener, host, route)
    cap = expected.limits.max_body_bytes
    field = (
        f"listeners.{listener.text('name') or '?'}.{name}"
        if name == _CONNECTION
        else f"virtual_hosts.{host.name}.{name}"
    )
    what = f"{limit}, for route {route.name!r}," if route else f"{limit}"
    if limit < cap:
        hint = "" if route and route.upstream else f" ({_REQUEST} does not count where a route has no upstream)"
        yield place.mistake(field, f"{what} is below limits.max_body_bytes ({cap}): Envoy answers 413 first{hint}")
    elif limit > cap + ENVELOPE_BYTES:
        message = f"{what} is more than {ENVELOPE_BYTES} above limits.max_body_bytes ({cap}): the router hangs up"
        yield place.mistake(field, f"{message}, and such requests go where those go that nobody decided")


def _limit(listener: Place, host: Host, route: Route | None) -> tuple[str, int, Place]:
    """Return the limit that counts, and where it was written: (field, bytes, place)."""
    connection = listener.get(_CONNECTION)
    bytes_held = _DEFAULT_BYTES if not connection.present else connection.whole() or 0
    if route and route.upstream:
        for scope in (route.place, host.place):
            request, old = scope.get(_REQUEST), scope.get(_OLD)
            if request.present:
                return _REQUEST, request.whole() or 0, request
            if old.present:
                return _OLD, min(old.whole() or 0, bytes_held), old
    return _CONNECTION, bytes_held, connection


def _is_bad(place: Place) -> bool:
    return place.present and place.whole() is None
