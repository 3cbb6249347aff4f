"""`extproc-router fit`: learn from outcomes which prompts need the strong model."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    from extproc_router.learning.base import Floats
    from extproc_router.training.learned import Sample

# Listed here, because importing the strategies takes numpy; a test compares.
STRATEGIES = ("similarity", "mf", "neighbours", "linear", "table", "ensemble")
_WITHIN = 0.03
_MAX_FOLDS = 20


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "fit",
        help="learn a routing strategy from outcomes",
        description=(
            "Fit a strategy to outcomes (JSON Lines: a prompt and the scores of models), measure it out of fold, and "
            "write it as a versioned artefact. On the CPU, in seconds once the prompts are embedded."
        ),
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--strategy", choices=STRATEGIES, help="what to fit")
    what.add_argument("--extend", type=Path, metavar="DIR", help="add the data's new models to this mf artefact")
    what.add_argument("--experiment", choices=("new-model",), help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="outcomes, JSON Lines, plain or .gz")
    parser.add_argument("--strong", metavar="MODEL", help="the dear model of the pair to route between")
    parser.add_argument("--weak", metavar="MODEL", help="the cheap one")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the artefact goes")
    common.add_model(parser)
    parser.add_argument(
        "--scale",
        type=float,
        nargs=2,
        default=(0.0, 1.0),
        metavar=("LOW", "HIGH"),
        help="scores that count as no and as full quality (default: 0 1)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the strategy, e.g. rank=4, or members.mf.rank=4 of the ensemble; may be repeated",
    )
    parser.add_argument(
        "--folds", type=_folds, default=5, metavar="N", help="of the measurement; 0 leaves it out (default: 5)"
    )
    parser.add_argument(
        "--seed", type=offline.whole(0, 2**32 - 1), default=0, metavar="N", help="of every choice (default: 0)"
    )
    parser.add_argument("--strict", action="store_true", help="a bad row is an error instead of being left out")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("out/outcomes"),
        metavar="DIR",
        help="keeps embeddings (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read and embed, then fit, extend or experiment."""
    if args.experiment:
        return _experiment(args)
    if args.out is None:
        raise StartupError("--out DIR is missing: where shall the artefact go?")
    from extproc_router.learning import artefact  # noqa: PLC0415 - heavy
    from extproc_router.training import learned  # noqa: PLC0415 - heavy
    from extproc_router.training.outcomes import open_reader  # noqa: PLC0415 - heavy

    if args.extend:
        known = artefact.load(args.extend, features=open_reader(args.model).version)
        manifest = learned.extend(
            _sample(args), known, weak=args.weak, strong=args.strong, seed=args.seed, out=args.out
        )
    else:
        settings = learned.settings_of(args.strategy, args.set)
        sample = _sample(args)
        with _progress("measuring out of fold", args.folds) as progress:
            manifest = learned.fit(
                sample,
                strategy=args.strategy,
                settings=settings,
                weak=args.weak,
                strong=args.strong,
                scale=tuple(args.scale),
                folds=args.folds,
                seed=args.seed,
                out=args.out,
                apgr=_apgr,
                after_fold=progress.step,
            )
    pair = f"{manifest.weak} or {manifest.strong}" if manifest.weak else f"{len(manifest.models)} models"
    print(f"{args.out}: {manifest.strategy}, version {manifest.version}, {pair}, {manifest.data.rows:,} rows")
    for name, value in manifest.metrics.items():
        print(f"  {name}: {value}")
    return 0


def _experiment(args: argparse.Namespace) -> int:
    from extproc_router.learning.strategies.factorisation import Factorisation  # noqa: PLC0415 - heavy
    from extproc_router.training.experiments import new_model  # noqa: PLC0415 - heavy
    from extproc_router.training.learned import settings_of  # noqa: PLC0415 - heavy
    from extproc_router.training.outcomes import prepare  # noqa: PLC0415 - heavy

    settings = settings_of("mf", args.set)
    assert isinstance(settings, Factorisation)  # noqa: S101 - as asked for on the line above
    sample = _sample(args)
    outcomes = prepare(sample.prompts, sample.models, sample.scores, low=args.scale[0], high=args.scale[1])
    design = new_model.Design(seed=args.seed)
    with _progress("models left out", len(outcomes.models)) as progress:
        placed = new_model.run(outcomes, sample.features, settings, design, apgr=_apgr, after_each=progress.step)
    print(f"{'model':28s} pairs   full" + "".join(f"{labels:8d}" for labels in design.labels) + "     all")
    for entry in placed:
        gaps = [sum(draws) / len(draws) - entry.full for draws in entry.placed.values()]
        cells = "".join(f"  {gap:+.3f}" for gap in [*gaps, entry.everything - entry.full])
        print(f"{entry.model:28s} {entry.pairs:5d}  {entry.full:.3f}{cells}")
    print(f"\nAPGR less that of all data, by labels from each of {design.clusters} clusters")
    for labels, mean, least, within, count in new_model.summarise(placed, _WITHIN):
        print(f"{labels:4d}: mean {mean:+.4f}, least {least:+.4f}, within {_WITHIN}: {within} of {count} models")
    return 0


def _sample(args: argparse.Namespace) -> Sample:
    from extproc_router.evaluation import outcomes  # noqa: PLC0415 - heavy
    from extproc_router.training.learned import Sample  # noqa: PLC0415 - heavy
    from extproc_router.training.outcomes import open_reader, read_features  # noqa: PLC0415 - heavy

    if args.data.exists() and not args.data.is_file():
        # It is read once for its rows and once for its hash, which a pipe cannot be.
        raise StartupError(f"{args.data}: not a regular file")
    reader = open_reader(args.model)
    rows, faults = outcomes.read(args.data, keep_texts=True, strict=args.strict)
    if faults.count:
        print(f"{faults.count} rows left out:\n{faults}", file=sys.stderr)
    prompts = rows.texts or ()
    with _progress("embedding", len(prompts)) as progress:
        features = read_features(prompts, reader, cache=args.cache, progress=progress.reach)
    with args.data.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Sample(prompts, rows.models, rows.quality, features, reader, digest)


def _progress(label: str, total: int) -> Any:  # noqa: ANN401 - its module is heavy
    from extproc_router.bulk.progress import Progress  # noqa: PLC0415 - heavy

    return Progress(label, total)


def _apgr(score: Floats, gain: Floats) -> float:
    from extproc_router.learning import frontier  # noqa: PLC0415 - heavy

    return frontier.apgr_of(score, gain)


def _folds(text: str) -> int:
    number = int(text)
    if number != 0 and not 2 <= number <= _MAX_FOLDS:  # noqa: PLR2004  one fold leaves nothing to fit on
        raise argparse.ArgumentTypeError(f"must be 0, or from 2 to {_MAX_FOLDS}")
    return number
