"""`extproc-router demo`: see it work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "demo",
        help="watch prompts travel through real Envoy",
        description=(
            "Start three simulated model servers, the router and Envoy, send a dozen prompts with the openai client, "
            "and show where each went and why. Everything listens on 127.0.0.1."
        ),
    )
    parser.add_argument("--once", action="store_true", help="end after the table; exit status 1 if anything failed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo.

    Raises:
        StartupError: something does not start.
    """
    try:
        from extproc_router.lab import demo, processes  # noqa: PLC0415 - needs the `demo` extra
    except ImportError as error:
        raise StartupError(f"the demo needs {error.name}: pip install 'extproc-router[demo]'") from error
    processes.end_in_order_on_sigterm()
    return demo.run(once=args.once)
