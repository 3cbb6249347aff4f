"""Where this Envoy itself listens: what a cluster sends there comes back as another request, which anybody may send."""

from __future__ import annotations

from ipaddress import ip_address
from os.path import normpath
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.proof.message import items, members, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ipaddress import IPv4Address, IPv6Address

    from extproc_router.envoyconf.place import Place

# Where health is asked is no request's business.
_NO_ENDPOINT = ("health_check_config", "metadata")


class Socket(Struct, frozen=True):
    """A TCP or UDP address: lower-case host, and port; None where it is not written as a number."""

    host: str
    port: int | None

    def reaches(self, listener: Socket) -> bool:
        """Whether a connection to this address may end at a listener's. A name may be any for a loopback address."""
        if None not in (self.port, listener.port) and self.port != listener.port:
            return False
        if self.host == listener.host or (is_loopback(listener.host) and _ip(self.host) is None):
            return True
        return all(is_loopback(host) or _is_unspecified(host) for host in (self.host, listener.host))


class Own(Struct, frozen=True):
    """The addresses of an Envoy's listeners: sockets, and the paths of pipes."""

    sockets: frozenset[Socket]
    pipes: frozenset[str]

    def reached(self, endpoints: Place) -> bool:
        """Whether something in a `ClusterLoadAssignment` may lead back to a listener."""
        for name, place in _found(endpoints):
            if name == "pipe" and normpath(place.text("path")) in self.pipes:
                return True
            if name == "socket_address" and any(map(socket(place).reaches, self.sockets)):
                return True
        return False


def of(listeners: Place | None) -> Own:
    """Read where a file's listeners stand."""
    found = [
        address
        for listener in items(listeners)
        for each in addresses(members(listener))
        for address in members(each).items()
    ]
    return Own(
        frozenset(socket(place) for name, place in found if name == "socket_address"),
        frozenset(normpath(place.text("path")) for name, place in found if name == "pipe"),
    )


def hosts(endpoints: Place) -> Iterator[str]:
    """Yield the hosts in a `ClusterLoadAssignment`, lower case; a pipe is on this machine."""
    for name, place in _found(endpoints):
        yield "localhost" if name == "pipe" else socket(place).host


def addresses(listener: Mapping[str, Place]) -> list[Place]:
    """Return all addresses of a listener."""
    more = items(listener.get("additional_addresses"))
    own = [listener["address"]] if "address" in listener else []
    return own + [members(each).get("address", each) for each in more]


def socket(place: Place) -> Socket:
    """Read a `SocketAddress`."""
    said = members(place)
    return Socket(text(said.get("address")).lower(), said["port_value"].whole() if "port_value" in said else None)


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can connect there."""
    address = _ip(host)
    return host.rstrip(".") == "localhost" if address is None else address.is_loopback


def _is_unspecified(host: str) -> bool:
    address = _ip(host)
    return address is not None and address.is_unspecified


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _found(place: Place) -> Iterator[tuple[str, Place]]:
    """Yield the addresses inside a message."""
    for name, inner in members(place).items():
        if name in ("socket_address", "pipe"):
            yield name, inner
        elif name not in _NO_ENDPOINT:
            for message in [inner] if isinstance(inner.value, dict) else items(inner):
                yield from _found(message)
