"""What carries the bytes of a connection: encryption sends them nowhere else, and other kinds may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof.doubts import Doubt
from extproc_router.envoyconf.proof.message import items, kind, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.envoyconf.place import Place

_HARMLESS = frozenset(
    f"envoy.extensions.transport_sockets.{name}"
    for name in (
        "quic.v3.QuicDownstreamTransport",
        "quic.v3.QuicUpstreamTransport",
        "raw_buffer.v3.RawBuffer",
        "tls.v3.DownstreamTlsContext",
        "tls.v3.UpstreamTlsContext",
    )
)


def doubts(field: str, said: Mapping[str, Place]) -> Iterator[Doubt]:
    """Yield the transport sockets of a cluster, or of a chain of filters, that may copy what goes through them."""
    sockets = [said["transport_socket"]] if "transport_socket" in said else []
    for match in items(said.get("transport_socket_matches")):
        sockets += [socket for name, socket in members(match).items() if name == "transport_socket"]
    for socket in sockets:
        name = kind(members(socket).get("typed_config"))
        if name not in _HARMLESS:
            yield Doubt(socket, f"{field}.transport_socket", f"{name.rpartition('.')[2] or '?'} is not understood")
