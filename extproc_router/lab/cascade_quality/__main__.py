"""`python -m extproc_router.lab.cascade_quality`: five policies, on prompts with known outcomes, live."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import msgspec

from extproc_router.evaluation import cascade_simulation, offline
from extproc_router.lab import processes
from extproc_router.lab.cascade_quality import prompts, report, study
from extproc_router.lab.cascade_quality.policies import STRONG, WEAK
from extproc_router.lab.cascade_quality.study import Settings

_MOST_ROWS = 100_000
_WORST_AUC, _BEST_AUC = 0.5, 0.92


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, ask, measure, print; 0, for a missed target is no failure."""
    parser = argparse.ArgumentParser(prog="python -m extproc_router.lab.cascade_quality", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="outcomes, JSON Lines, also gzipped")
    parser.add_argument("--weak", required=True, metavar="MODEL", help="the cheaper model in the data")
    parser.add_argument("--strong", required=True, metavar="MODEL", help="the dearer one")
    parser.add_argument("--weak-price", type=_price, default=0.1, metavar="USD", help="per million tokens (0.1)")
    parser.add_argument("--strong-price", type=_price, default=0.9, metavar="USD", help="per million tokens (0.9)")
    parser.add_argument(
        "--rows", type=offline.whole(1, _MOST_ROWS), default=_MOST_ROWS, metavar="N", help="at most, of each half"
    )
    parser.add_argument(
        "--answer-tokens", type=offline.whole(10, 2000), default=100, metavar="N", help="of every answer (100)"
    )
    parser.add_argument(
        "--budget", type=offline.share, default=0.45, metavar="X", help="share of strong's cost to pick for (0.45)"
    )
    parser.add_argument(
        "--auc",
        type=_auc,
        metavar="X",
        help="how well log-probabilities tell good answers from bad ones, 0.5 to 0.92 (real verifiers: 0.7 to 0.8; "
        "default: as the simulated servers have it, 0.93)",
    )
    parser.add_argument("--seed", type=offline.whole(0, 2**32 - 1), default=0, metavar="N", help="(0)")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write figures and a plot there")
    options = parser.parse_args(arguments)
    processes.end_in_order_on_sigterm()
    halves = prompts.read(options.data, weak=options.weak, strong=options.strong, rows=options.rows)
    prices = {WEAK: options.weak_price, STRONG: options.strong_price}
    separation = 1.0 if options.auc is None else cascade_simulation.separation_of(options.auc)
    found = study.run(halves, Settings(prices, options.answer_tokens, options.budget, separation, options.seed))
    print(report.text(found))
    if options.report:
        path = report.plot(found, options.report)
        document = {**msgspec.to_builtins(found), "assumption": report.ASSUMPTION}
        (options.report / "cascade-quality.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"\nFigures: {path.parent}")
    return 0


def _auc(written: str) -> float:
    value = float(written)
    if not _WORST_AUC <= value <= _BEST_AUC:
        raise argparse.ArgumentTypeError(f"expected {_WORST_AUC} to {_BEST_AUC}")
    return value


def _price(written: str) -> float:
    value = float(written)
    if not 0 < value <= offline.MOST_PRICE:
        raise argparse.ArgumentTypeError("expected USD per million tokens, above 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
