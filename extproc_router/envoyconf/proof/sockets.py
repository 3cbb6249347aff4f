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
# It says first whose the connection is, and then does what the one inside it does.
_PROXY_PROTOCOL = "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"


def doubts(field: str, said: Mapping[str, Place]) -> Iterator[Doubt]:
    """Yield the transport sockets of a cluster, or of a chain of filters, that may copy what goes through them."""
    sockets = [said["transport_socket"]] if "transport_socket" in said else []
    for match in items(said.get("transport_socket_matches")):
        sockets += [socket for name, socket in members(match).items() if name == "transport_socket"]
    for socket in sockets:
        config = members(socket).get("typed_config")
        name = kind(config)
        if name == _PROXY_PROTOCOL and config is not None:
            yield from doubts(field, members(config))
        elif name not in _HARMLESS:
            yield Doubt(socket, f"{field}.transport_socket", f"{name.rpartition('.')[2] or '?'} is not understood")
        for message in socket.messages():
            if message.get("key_log").present:
                why = "with the keys that it writes, others can read requests on their way: take it out"
                yield Doubt(message.get("key_log"), f"{field}.transport_socket.key_log", why)
