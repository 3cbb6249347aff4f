"""The router with an encoder that never answers: `python hanging_router.py serve ...`, the arguments of `serve`."""

from __future__ import annotations

import argparse
import asyncio
import threading
from typing import TYPE_CHECKING

from extproc_router import wiring
from extproc_router.cli import serve
from extproc_router.server import addresses, app, metrics_endpoint

if TYPE_CHECKING:
    from extproc_router.server.encoder_executor import Asks, Encodings
    from extproc_router.server.service import Runtime


def hang(_: Asks) -> Encodings:
    threading.Event().wait()
    raise AssertionError("unreachable")


def main() -> None:
    parser = argparse.ArgumentParser()
    serve.register(parser.add_subparsers(dest="command"))
    args = parser.parse_args()
    config = wiring.read_config(args.config)
    settings = app.Settings(
        listen=addresses.parse(args.listen),
        health=addresses.parse(args.health_listen),
        share_port=False,
        drain_seconds=args.drain_seconds,
    )
    telemetry = wiring.build_telemetry()
    stop_metrics = metrics_endpoint.start(addresses.parse(args.metrics_listen))

    def load() -> Runtime:
        return wiring.build_runtime(config, wiring.load_encoder(args.model), telemetry, encode=hang)

    try:
        asyncio.run(app.serve(settings, load, telemetry))
    finally:
        stop_metrics()
        telemetry.close()


if __name__ == "__main__":
    main()
