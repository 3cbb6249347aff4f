"""`extproc-router envoy`: write envoy.yaml from the router's config, and judge one that exists."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import ConfigError, StartupError

if TYPE_CHECKING:
    import argparse

_STDOUT = Path("-")


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "envoy",
        help="write envoy.yaml from the router's config, or say what an existing one does to requests",
        description="Envoy's side of a config.",
    )
    parts = parser.add_subparsers(dest="part", metavar="COMMAND", required=True)
    render = parts.add_parser(
        "render",
        help="write the whole envoy.yaml",
        description="Write the envoy.yaml of a config: models, rules, limits and its section `endpoints` decide what "
        "is in it. The same config gives the same bytes. Where an Envoy binary is at hand, it has to accept the file. "
        "Exit 0: written; 1: not, or Envoy refuses it.",
    )
    common.add_config(render)
    render.add_argument(
        "--plain",
        action="store_true",
        help="for an Envoy before 1.40, or where somebody else owns the routes: of each chain Envoy knows the first "
        "model alone; no fallback, no cascade",
    )
    render.add_argument("--output", type=Path, default=_STDOUT, metavar="FILE", help="default: -, standard output")
    render.set_defaults(run=_render)
    check = parts.add_parser(
        "check",
        help="say whether an envoy.yaml fits a config, and what becomes of requests where it does not",
        description="Compare an envoy.yaml with a config: every finding with its line, and what it does to a user's "
        "request. Where an Envoy binary is at hand, it has to accept the file. Privacy is another matter: "
        "`extproc-router check --envoy` proves that. Exit 0: it fits; else 1.",
    )
    common.add_config(check)
    check.add_argument("--envoy", type=Path, required=True, metavar="FILE", help="the envoy.yaml")
    check.set_defaults(run=_check)


def _render(args: argparse.Namespace) -> int:
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.envoyconf import render  # noqa: PLC0415 - likewise

    written = render.bootstrap(wiring.read_config(args.config), plain=args.plain)
    if args.output != _STDOUT:
        try:
            args.output.write_text(written, encoding="utf-8")
        except OSError as error:
            raise StartupError(f"{args.output}: {error.strerror}") from error
        return 0 if _accepted(args.output, str(args.output)) else 1
    sys.stdout.write(written)
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="extproc-router-") as directory:
        path = Path(directory, "envoy.yaml")
        path.write_text(written, encoding="utf-8")
        return 0 if _accepted(path, "what was written") else 1


def _check(args: argparse.Namespace) -> int:
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.config import loader  # noqa: PLC0415 - likewise
    from extproc_router.envoyconf import bootstrap, check  # noqa: PLC0415 - likewise

    read = bootstrap.read(args.envoy)
    try:
        config = loader.load(wiring.read_file(args.config), str(args.config), clusters=check.clusters(read))
    except ConfigError as error:
        config, mistakes = None, error.mistakes
    else:
        mistakes = ()
    report = check.compare(config, read)
    for note in report.notes:
        print(note)
    for mistake in (*mistakes, *report.mistakes):
        print(mistake, file=sys.stderr)
    accepted = _accepted(args.envoy, str(args.envoy))
    if config is None or report.mistakes or not accepted:
        return 1
    print(f"{args.envoy} fits {args.config}, version {config.version}")
    if len(config.privacy_tiers) > 1 or config.written.safety:
        print("whether any request passes by its tier or a safety rule, `extproc-router check --envoy` proves")
    return 0


def _accepted(path: Path, name: str) -> bool:
    """Ask Envoy, where there is one, and say what it says: on standard error, since output may be the file itself."""
    from extproc_router.envoyconf import binary  # noqa: PLC0415 - as above

    try:
        said = binary.validate(path)
    except StartupError as error:
        print(f"{name}: not validated by Envoy: {error}", file=sys.stderr)
        return True
    if said.accepts:
        print(f"{name}: {said.binary} --mode validate: OK", file=sys.stderr)
    else:
        print(f"{name}: Envoy refuses it: {said.why} ({said.binary})", file=sys.stderr)
    return said.accepts
