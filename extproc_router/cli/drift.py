"""`extproc-router drift`: have the requests moved since the frontier was measured?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    import argparse


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "drift",
        help="compare two stretches of traffic",
        description=(
            "Compare decision logs, prompt files or saved histograms, signal by signal, with effect sizes and a stated "
            "false-alarm rate, and say whether the frontier must be measured again."
        ),
    )
    parser.add_argument("--reference", type=Path, required=True, metavar="FILE", help="what was measured on")
    parser.add_argument("--current", type=Path, metavar="FILE", help="what comes now")
    parser.add_argument("--save-histogram", type=Path, metavar="FILE", help="keep --reference as counts alone")
    parser.add_argument("--model", type=Path, metavar="DIR", help="read prompt files with this encoder's heads too")
    parser.add_argument(
        "--alpha", type=offline.share, default=0.01, metavar="X", help="chance of any false alarm (default: 0.01)"
    )
    parser.add_argument(
        "--least-psi", type=offline.share, default=0.1, metavar="X", help="smaller changes are no alarm (default: 0.1)"
    )
    parser.add_argument("--report", type=Path, metavar="DIR", help="write report.html and PNGs there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--fail", action="store_true", help="exit 1 where the frontier must be measured again")
    parser.add_argument("--strict", action="store_true", help="a bad line is an error, not left out")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, or save histograms, or both."""
    from extproc_router.evaluation import documents, drift, histograms, tables  # noqa: PLC0415 - heavy

    if not args.current and not args.save_histogram:
        raise StartupError("give --current to compare, or --save-histogram to keep counts")
    if args.report:
        from extproc_router.evaluation import report  # noqa: PLC0415 - needs the `evaluate` extra

        report.prepare(args.report)
    before = _read(args, args.reference)
    if args.save_histogram:
        try:
            args.save_histogram.write_bytes(histograms.dump(before))
        except OSError as error:
            raise StartupError(f"{args.save_histogram}: {error.strerror or error}") from error
        offline.tell(f"wrote {args.save_histogram}: {before.rows:,} requests")
    if not args.current:
        return 0
    found = drift.compare(before, _read(args, args.current), alpha=args.alpha, least_psi=args.least_psi)
    if args.report:
        from extproc_router.evaluation import report  # noqa: PLC0415 - needs the `evaluate` extra

        offline.tell(f"wrote {report.write_drift(found, args.report, f'{args.reference} -> {args.current}')}")
    print(documents.dump(documents.drift(found)) if args.json else tables.drift(found))
    return 1 if args.fail and found.remeasure else 0


def _read(args: argparse.Namespace, path: Path) -> Any:  # noqa: ANN401 - Histograms, imported when run
    from extproc_router.evaluation import histograms  # noqa: PLC0415 - heavy

    encode = None
    if args.model:
        from extproc_router import wiring  # noqa: PLC0415 - heavy

        encode = wiring.load_encoder(args.model).encode
    found, faults = histograms.read(path, encode=encode, strict=args.strict)
    if faults.count:
        offline.tell(f"{faults}\n{faults.count:,} lines were left out")
    return found
