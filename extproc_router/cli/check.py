"""`extproc-router check`: find mistakes before Envoy or a user does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from extproc_router.types import Mistake


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "check",
        help="find mistakes in a config, and between it and envoy.yaml",
        description="Check a config: all mistakes at once, each with file, line and field. Exit 0 none, 1 some.",
    )
    common.add_config(parser)
    common.add_model(parser)
    parser.add_argument("--envoy", type=Path, metavar="FILE", help="an envoy.yaml that must fit the config too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, print, and say so by the exit status."""
    from extproc_router import wiring  # noqa: PLC0415 - heavy

    config = wiring.read_config(args.config)
    mistakes: list[Mistake] = []
    try:
        wiring.build_router(config, wiring.load_encoder(args.model))
    except ConfigError as error:
        mistakes += error.mistakes
    if args.envoy:
        from extproc_router.envoyconf import bootstrap, check  # noqa: PLC0415 - half a second of imports

        mistakes += check.find_mistakes(config, bootstrap.read(args.envoy), str(args.envoy))
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    if not mistakes:
        fits = f" and fits {args.envoy}" if args.envoy else ""
        print(f"{args.config}: {len(config.candidates)} models, version {config.version}: no mistakes{fits}")
    return 1 if mistakes else 0
