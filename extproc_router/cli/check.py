"""`extproc-router check`: find mistakes before Envoy or a user does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from extproc_router.cli import common
from extproc_router.errors import ConfigError, RouterError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from extproc_router.config.loader import Config
    from extproc_router.envoyconf.check import Report
    from extproc_router.types import Mistake

T = TypeVar("T")


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
    from extproc_router.config import document, loader  # noqa: PLC0415 - likewise

    text = wiring.read_file(args.config)
    failures: list[RouterError] = []
    encoder = _tried(lambda: wiring.load_encoder(args.model), failures)
    envoy = _tried(lambda: _Envoy(args.envoy), failures) if args.envoy else None
    config: Config | None = None
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[Mistake, ...] = ()
    try:
        drafted = loader.draft(text, str(args.config), clusters=envoy.clusters if envoy else None)
        mistakes = drafted.mistakes
        config = None if mistakes else drafted.config
        if drafted.config and encoder:
            compiled = wiring.compile_config(drafted.config, encoder)
            # A rule that is left out, or half read, may be what a warning is about.
            warnings = () if mistakes else compiled.warnings
    except ConfigError as error:
        mistakes = document.in_file_order((*mistakes, *error.mistakes))
    notes: tuple[Mistake, ...] = ()
    if envoy:
        report = envoy.compare(config)
        mistakes, notes = (*mistakes, *report.mistakes), report.notes
    for warning in warnings:
        print(f"{warning.file}:{warning.line}: warning: {warning.field}: {warning.message}")
    for note in notes:
        print(note)
    for line in (*mistakes, *(f"extproc-router: {failure}" for failure in failures)):
        print(line, file=sys.stderr)
    if mistakes or failures or config is None:
        return 1
    fits = f" and fits {args.envoy}" if args.envoy else ""
    print(f"{args.config}: {len(config.candidates)} models, version {config.version}: no mistakes{fits}")
    return 0


class _Envoy:
    """An envoy.yaml, read."""

    def __init__(self, path: Path) -> None:
        from extproc_router.envoyconf import bootstrap, check  # noqa: PLC0415 - half a second of imports

        self._check, self._bootstrap = check, bootstrap.read(path)
        self.clusters = check.clusters(self._bootstrap)

    def compare(self, config: Config | None) -> Report:
        return self._check.compare(config, self._bootstrap)


def _tried(read: Callable[[], T], failures: list[RouterError]) -> T | None:
    """Read something; a failure waits until the other files' mistakes are told too."""
    try:
        return read()
    except RouterError as error:
        failures.append(error)
        return None
