"""`extproc-router check`: find mistakes before Envoy or a user does, and prove that no request leaves its tier."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from extproc_router.cli import common
from extproc_router.errors import ConfigError, RouterError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from extproc_router.config.compiling import Compiled
    from extproc_router.config.loader import Config
    from extproc_router.envoyconf.proof import Proof
    from extproc_router.types import Mistake

T = TypeVar("T")

_STDIN = Path("-")


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "check",
        help="find mistakes in a config, and between it and envoy.yaml; prove that no request leaves its privacy tier",
        description="Check a config: all mistakes at once, each with file, line and field. With --envoy, prove that no "
        "request can reach a model that is not cleared for its privacy tier, or name the way by which one can. "
        "Exit 0: no mistakes, and proved; else 1. `--config -` reads standard input.",
    )
    common.add_config(parser)
    common.add_model(parser)
    parser.add_argument("--envoy", type=Path, metavar="FILE", help="an envoy.yaml that must fit the config too")
    parser.add_argument(
        "--allow-unproved",
        action="store_true",
        help="exit 0, too, where nothing but what the proof does not understand in envoy.yaml stands against it: "
        "you answer for the lines `not proved` yourself",
    )
    common.add_trust(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, print, and say so by the exit status."""
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.config import document, loader  # noqa: PLC0415 - likewise

    is_piped = args.config == _STDIN
    text = sys.stdin.buffer.read(document.MAX_BYTES + 1) if is_piped else wiring.read_file(args.config)
    file = "<stdin>" if is_piped else str(args.config)
    failures: list[RouterError] = []
    encoder = _tried(lambda: wiring.load_encoder(args.model), failures)
    envoy = _tried(lambda: _Envoy(args.envoy), failures) if args.envoy else None
    config: Config | None = None
    compiled: Compiled | None = None
    mistakes: tuple[Mistake, ...] = ()
    try:
        drafted = loader.draft(text, file, clusters=envoy.clusters if envoy else None)
        mistakes = drafted.mistakes
        config = None if mistakes else drafted.config
        if drafted.config and encoder:
            compiled = wiring.compile_config(drafted.config, encoder)
    except ConfigError as error:
        mistakes = document.in_file_order((*mistakes, *error.mistakes))
        config = None
    judged = envoy.judge(config, compiled, frozenset(args.trust)) if envoy else _Judged()
    # A rule that is left out, or half read, may be what a warning is about.
    for warning in compiled.warnings if compiled and config else ():
        print(f"{warning.file}:{warning.line}: warning: {warning.field}: {warning.message}")
    refused = () if args.allow_unproved else judged.unproved
    for note in (*judged.notes, *(() if refused else judged.unproved)):
        print(note)
    bad = (*mistakes, *judged.mistakes, *refused, *(f"extproc-router: {failure}" for failure in failures))
    for line in bad:
        print(line, file=sys.stderr)
    if judged.verdict:
        print(judged.verdict, file=sys.stderr if bad else sys.stdout)
    if bad or config is None:
        return 1
    fits = f" and fits {args.envoy}" if args.envoy else ""
    print(f"{file}: {len(config.candidates)} models, version {config.version}: no mistakes{fits}")
    return 0


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found between the two files; `verdict` is empty where nothing could be proved or disproved."""

    mistakes: tuple[Mistake, ...] = ()
    notes: tuple[Mistake, ...] = ()
    unproved: tuple[Mistake, ...] = ()
    verdict: str = ""


class _Envoy:
    """An envoy.yaml, read."""

    def __init__(self, path: Path) -> None:
        from extproc_router.envoyconf import bootstrap, check  # noqa: PLC0415 - half a second of imports

        self._check, self._bootstrap = check, bootstrap.read(path)
        self.clusters = check.clusters(self._bootstrap)

    def judge(self, config: Config | None, compiled: Compiled | None, trusted: frozenset[str]) -> _Judged:
        """Compare with a config, which may not be readable, and prove where it is, but for filters that are trusted."""
        report = self._check.compare(config, self._bootstrap)
        if not (config and compiled):
            return _Judged(report.mistakes, report.notes)
        from extproc_router.envoyconf.proof import prove  # noqa: PLC0415 - only with a config that has no mistakes

        proof = prove(config, compiled.policy, self._bootstrap, trusted=trusted)
        return _Judged((*report.mistakes, *proof.leaks), report.notes, proof.unproved, _verdict(proof))


def _verdict(proof: Proof) -> str:
    if not proof.needed:
        return "privacy: nothing to prove: one tier, and no safety rule in force"
    if proof.proved:
        seen = proof.examined
        trusting = f", trusting: {', '.join(proof.trusting)}" if proof.trusting else ""
        counts = f"{seen.tiers} tiers, {seen.rules} rules, {seen.routes} routes, {seen.clusters} clusters"
        return f"privacy: proved{trusting}: {counts}"
    return f"privacy: not proved ({len(proof.leaks) + len(proof.unproved)})"


def _tried(read: Callable[[], T], failures: list[RouterError]) -> T | None:
    """Read something; a failure waits until the other files' mistakes are told too."""
    try:
        return read()
    except RouterError as error:
        failures.append(error)
        return None
