"""`endpoints`, as they are written: the addresses that `extproc-router envoy render` writes into envoy.yaml."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from extproc_router.options import ClusterName, Section

_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_V4, _V6 = r"([0-9]{1,3}\.){3}[0-9]{1,3}", r"\[[0-9A-Fa-f:.]{2,45}\]"
_TCP = rf"([A-Za-z0-9]([A-Za-z0-9._-]{{0,251}}[A-Za-z0-9])?|{_V6}):{_PORT}"
# A socket's path has 108 bytes, of which the router wants some for itself.
_UNIX, _UNIX_OF_WORKERS = r"unix:/[A-Za-z0-9._/-]{1,93}", r"unix:/([A-Za-z0-9._/-]|\{worker\}){1,93}"
LISTENED = rf"^({_V4}|{_V6}):{_PORT}$"


def _possible(address: str) -> str:
    """Refuse what looks like an IP address and is none: Envoy would ask DNS for it for ever."""
    host = address.rpartition(":")[0]
    if not address.startswith("unix:") and (host.startswith("[") or host.rpartition(".")[2].isdecimal()):
        try:
            ip_address(host.strip("[]"))
        except ValueError:
            raise ValueError(f"{host} is no IP address") from None
    return address


Listened = Annotated[str, StringConstraints(pattern=LISTENED), AfterValidator(_possible)]
Reached = Annotated[str, StringConstraints(pattern=rf"^({_UNIX}|{_TCP})$"), AfterValidator(_possible)]
ReachedWorkers = Annotated[str, StringConstraints(pattern=rf"^({_UNIX_OF_WORKERS}|{_TCP})$"), AfterValidator(_possible)]
PATH = r"^(/[!-~]{0,255})?$"
FILE = r"^/[A-Za-z0-9._/+-]{1,255}$"
HOST_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"


class ClusterEndpoint(Section):
    """The servers of one cluster, and how they are reached."""

    addresses: Annotated[
        list[Reached] | None,
        Field(
            min_length=1,
            max_length=200,
            description="host:port or unix:/path; each address behind a name is a replica; default: [NAME:8000]",
        ),
    ] = None
    tls: Annotated[bool, Field(description="speak TLS, and check the server's certificate and name")] = False
    ca: Annotated[
        str,
        StringConstraints(pattern=FILE),
        Field(description="for tls: file, where Envoy runs, of the authorities that may have signed the certificate"),
    ] = "/etc/ssl/certs/ca-certificates.crt"
    host: Annotated[
        str | None,
        StringConstraints(pattern=HOST_NAME),
        Field(
            description="name that the server is asked by (Host), and that its certificate is for (SNI); default: Host "
            "as the client wrote it, SNI as in the address"
        ),
    ] = None
    protocol: Annotated[Literal["http1", "http2"], Field(description="spoken to the servers")] = "http1"
    connect_seconds: Annotated[float, Field(ge=0.01, le=60, description="how long a connection may take")] = 1.0
    max_retries: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="attempts at once that move on from here; Envoy's own 3 would drop some"),
    ] = 1024
    health_path: Annotated[
        str, StringConstraints(pattern=PATH), Field(description='asked every 5 s; "" where servers have none')
    ] = "/health"


class Endpoints(Section):
    """Addresses, for `extproc-router envoy render` alone: serving does not read them."""

    listen: Annotated[Listened, Field(description="where clients find Envoy")] = "0.0.0.0:8080"
    admin: Annotated[Listened, Field(description="Envoy's own interface: whoever reaches it can stop Envoy")] = (
        "127.0.0.1:9901"
    )
    router: Annotated[ReachedWorkers, Field(description="`serve --listen`; {worker} stands for the worker's index")] = (
        "unix:/run/extproc-router/extproc.sock"
    )
    workers: Annotated[int, Field(ge=1, le=64, description="`serve --workers`")] = 1
    verifier: Annotated[Reached, Field(description="where cascades are judged")] = (
        "unix:/run/extproc-router/verifier.sock"
    )
    clusters: Annotated[
        dict[ClusterName, ClusterEndpoint], Field(max_length=1000, description="cluster of a model -> its servers")
    ] = Field(default_factory=dict)

    def of(self, cluster: str) -> ClusterEndpoint:
        """Return what is written of a cluster, or the defaults."""
        return self.clusters.get(cluster) or ClusterEndpoint()
