"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

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
