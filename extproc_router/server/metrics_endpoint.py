"""/metrics over HTTP, on its own port and thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric
    from prometheus_client.registry import Collector

    from extproc_router.server.addresses import Address


class OnlyWhatIs:
    """Another collector's metrics, without what was: an info sample of value 0, which several workers cannot remove."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterator[Metric]:
        """Collect as the other one does."""
        for metric in self._collector.collect():
            if metric.name.endswith("_info"):
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric


def start(address: Address, registry: CollectorRegistry = REGISTRY) -> Callable[[], None]:
    """Serve metrics.

    Returns:
        What stops it.

    Raises:
        StartupError: the port is taken, or the address is a unix socket.
    """
    if address.path:
        raise StartupError(f"{address}: metrics need a TCP port")
    try:
        server, thread = start_http_server(address.port, address.host.strip("[]"), registry)
    except OSError as error:
        raise StartupError(f"{address}: cannot serve metrics there: {error.strerror or error}") from error

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
