"""One worker, from its command line to its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import uvloop
from msgspec import Struct

from extproc_router.encoder import recent
from extproc_router.server import addresses, apart, app, metrics_endpoint, workers
from extproc_router.server.reloader import Reloader
from extproc_router.server.state import State
from extproc_router.wiring.renewal import Files, Renewal
from extproc_router.wiring.sinks import build_telemetry

# For a reload that was cut short; what hangs on a disk is left behind.
_JOIN_SECONDS = 5.0


class ServeOptions(Struct, frozen=True):
    """What `serve` was asked for; addresses as written, files as in `Files`, `worker` of `workers`.

    The first of several workers alone listens at `verify_listen`: what is kept between the attempts of a cascade is in
    one process.
    """

    config: Path
    model: Path
    listen: str
    health_listen: str | None
    metrics_listen: str | None
    drain_seconds: float
    envoy: Path | None = None
    allow_unproved: bool = False
    trusted: tuple[str, ...] = ()
    state: Path | None = None
    last_good: bool = False
    remember: int = recent.ENTRIES
    verify_listen: str | None = None
    worker: int = 0
    workers: int = 1


def serve(options: ServeOptions) -> None:
    """Run one worker to its end.

    Raises:
        RouterError: it could not start; the message says why.
    """
    shares = options.workers > 1
    settings = app.Settings(
        listen=_address(options.listen, options),
        health=_address(options.health_listen, options) if options.health_listen else None,
        share_port=shares,
        drain_seconds=options.drain_seconds,
        verify=addresses.parse(options.verify_listen) if options.verify_listen and not options.worker else None,
    )
    telemetry, state = build_telemetry(), State(options.state)
    files = Files(
        config=options.config,
        model=options.model,
        envoy=options.envoy,
        allow_unproved=options.allow_unproved,
        trusted=options.trusted,
        remember=options.remember,
        last_good=options.state if options.last_good else None,
        judges=options.verify_listen is not None,
    )
    renewal = Renewal(files, telemetry, state, worker=options.worker, workers=options.workers)
    # With several workers the supervisor serves the merged metrics.
    stop_metrics = (
        metrics_endpoint.start(addresses.parse(options.metrics_listen))
        if options.metrics_listen and not shares
        else lambda: None
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                app.serve(
                    settings,
                    renewal.start,
                    telemetry,
                    reloader=Reloader(renewal),
                    on_ready=workers.say_served if shares else None,
                )
            )
    finally:
        apart.join(_JOIN_SECONDS)
        stop_metrics()
        telemetry.close()
        state.close()


def _address(template: str, options: ServeOptions) -> addresses.Address:
    return addresses.parse(addresses.for_worker(template, options.worker, options.workers))
