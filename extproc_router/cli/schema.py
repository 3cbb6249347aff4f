"""`extproc-router schema`: what editors complete and check a config by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON Schema of the config, for editors",
        description="Print the JSON Schema of the config (draft 2020-12), as it stands in docs/router.schema.json. "
        "Editors complete and check a config by it whose first line is `# yaml-language-server: $schema=PATH`.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - every command is run alike
    """Print it."""
    from extproc_router.config import json_schema  # noqa: PLC0415 - heavy

    print(json_schema.text(), end="")
    return 0
