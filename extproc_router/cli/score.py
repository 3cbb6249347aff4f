"""`extproc-router score`: every signal of many texts, from stdin to stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    import argparse

    from extproc_router.encoder import Encoder


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "score",
        help="read every signal of many texts, JSON Lines in and out",
        description=(
            'Score lines {"id", "text"} or {"id", "messages"} from stdin: one object for each on stdout, in the same '
            "order. A line that cannot be scored is told on stderr by its number and has no output; the exit status is "
            "1 then."
        ),
    )
    common.add_model(parser)
    parser.add_argument(
        "--signals", type=offline.names, metavar="A,B", help="which heads (default: all that the model has enabled)"
    )
    parser.add_argument(
        "--tiers",
        choices=("on", "off"),
        default="on",
        help="off: the whole encoder reads every text, even where an early tier is sure (default: %(default)s)",
    )
    parser.add_argument("--embedding", action="store_true", help="add the embedding, of length 1")
    parser.add_argument("--strict", action="store_true", help="stop at the first line that cannot be scored")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score until stdin ends; exit 1 where a line could not be scored."""
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.bulk import lines  # noqa: PLC0415 - heavy
    from extproc_router.bulk.progress import Progress  # noqa: PLC0415 - heavy
    from extproc_router.evaluation import scoring  # noqa: PLC0415 - heavy

    if not sys.stdin or not sys.stdout:
        raise StartupError("lines come from stdin and go to stdout; one of them is closed")
    out, bad = sys.stdout, 0

    def tell(number: int, why: str) -> None:
        nonlocal bad
        bad += 1
        if args.strict:
            raise StartupError(f"line {number}: {why}")
        offline.tell(f"line {number}: {why}")

    encoder = wiring.load_encoder(args.model)
    options = scoring.Options(_signals(args, encoder), tiers=args.tiers == "on", embedding=args.embedding)
    with Progress("scoring", None) as progress:
        try:
            for line in progress.over(scoring.score(lines.read(sys.stdin.buffer, out.flush), encoder, options, tell)):
                out.write(f"{line}\n")
        finally:
            # What is done stands, whatever ended the rest.
            out.flush()
    if bad:
        offline.tell(f"{bad:,} lines could not be scored")
    return 1 if bad else 0


def _signals(args: argparse.Namespace, encoder: Encoder) -> tuple[str, ...] | None:
    if args.signals is None:
        return None
    names = tuple(dict.fromkeys(args.signals))
    unknown = [name for name in names if name not in encoder.signals]
    if unknown or not names:
        raise StartupError(f"--signals: no signal {', '.join(unknown)!r}; known: {', '.join(encoder.signals)}")
    return names
