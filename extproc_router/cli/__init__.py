"""The command line: one thin file per command, each with `register(subparsers)` and `run(args) -> exit status`.

Exit status: 0 done, 1 a stated failure, 2 usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from extproc_router import __version__
from extproc_router.errors import RouterError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (
    "serve",
    "status",
    "check",
    "envoy",
    "schema",
    "explain",
    "test",
    "demo",
    "simulate",
    "bench",
    "evaluate",
    "calibrate",
    "drift",
    "fit",
    "score",
    "train",
)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands; no command's heavy imports run until it is chosen."""
    parser = argparse.ArgumentParser(
        prog="extproc-router",
        description="Pick the model for each LLM request, as Envoy's external processor.",
        epilog='Start with `extproc-router demo`, then `extproc-router explain "your prompt"`.',
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"extproc_router.cli.{name}").register(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments without the program name; the process's own by default.

    Returns:
        The exit status.
    """
    args = build_parser().parse_args(argv)
    try:
        status = int(args.run(args))
        if sys.stdout:
            sys.stdout.flush()
    except RouterError as error:
        print(f"extproc-router: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"extproc-router: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status
