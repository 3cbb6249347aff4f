"""`extproc-router bench`: what the router adds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from extproc_router.errors import StartupError

SHORTEST, LONGEST = 5.0, 3600.0


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "bench",
        help="measure what the router adds",
        description=(
            "Measure latency and throughput through real Envoy, as ratios to the same Envoy without the router, in one "
            "run; chains of models, as ratios to one model; and the encoder, memory and start on their own. Targets "
            "are shown, never enforced."
        ),
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=60.0, metavar="S", help="time under load, all cases (default: %(default)s)"
    )
    parser.add_argument(
        "--json", type=Path, default=Path("out/bench.json"), metavar="PATH", help="figures (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    value = float(text)
    if not SHORTEST <= value <= LONGEST:
        raise argparse.ArgumentTypeError(f"expected {SHORTEST:g} to {LONGEST:g} seconds")
    return value


def run(args: argparse.Namespace) -> int:
    """Run the benchmark.

    Raises:
        StartupError: something does not start.
    """
    try:
        from extproc_router.lab import bench, processes  # noqa: PLC0415 - needs the `demo` extra
    except ImportError as error:
        raise StartupError(f"the benchmark needs {error.name}: pip install 'extproc-router[demo]'") from error
    processes.end_in_order_on_sigterm()
    return bench.run(seconds=args.seconds, path=args.json)
