"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    import argparse

_ROOT = Path(__file__).resolve().parents[2]
SHIPPED_MODEL = _ROOT / "models/minilm-l4-router"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path(os.environ.get("EXTPROC_ROUTER_CONFIG", _ROOT / "examples/quickstart.yaml")),
        metavar="FILE",
        help="the policy, YAML (default: $EXTPROC_ROUTER_CONFIG, else the repository's examples/quickstart.yaml)",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    parser.add_argument(
        "--model",
        type=Path,
        default=Path(os.environ.get("EXTPROC_ROUTER_MODEL", SHIPPED_MODEL)),
        metavar="DIR",
        help="the encoder artefact (default: $EXTPROC_ROUTER_MODEL, else the repository's models/minilm-l4-router)",
    )


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add `--trust`."""
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="FILTER",
        help="name of an HTTP filter of envoy.yaml that the proof takes for harmless, on every route, because you have "
        "looked at it; the verdict names it; may be repeated",
    )


def add_state(parser: argparse.ArgumentParser) -> None:
    """Add `--state`."""
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where `serve` keeps its state (default: $EXTPROC_ROUTER_STATE, else extproc-router in $XDG_STATE_HOME or "
        "~/.local/state)",
    )


def state_directory(args: argparse.Namespace) -> Path:
    """Return the directory that `--state` names, or the default.

    Raises:
        StartupError: there is none.
    """
    from extproc_router.server import state  # noqa: PLC0415 - few commands need it

    directory: Path | None = args.state or state.default_directory()
    if directory is None:
        raise StartupError("nobody knows where the state is: this user has no home; give --state DIR")
    return directory
