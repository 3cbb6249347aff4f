"""`extproc-router evaluate cascade`: is a cascade worth it, beside routing by prediction?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common, strategies
from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    import argparse

    from extproc_router.evaluation.arrays import Floats
    from extproc_router.evaluation.outcomes import Outcomes, Pair

_HEAD = "difficulty"
_OPTIONS = "\nA. "  # where the options of a multiple-choice question begin


def register(subjects: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the subject."""
    parser = subjects.add_parser(
        "cascade",
        help="routing, cascade, and both",
        description=(
            "Compare routing by prediction, a cascade by the verifier's confidence, and both, on outcomes of two "
            "models with costs. Outcomes hold no answers: the confidence is simulated, at several separations."
        ),
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="outcomes, JSON Lines, also gzipped")
    parser.add_argument("--strong", required=True, metavar="MODEL", help="the dearer model")
    parser.add_argument("--weak", required=True, metavar="MODEL", help="the cheaper model")
    parser.add_argument(
        "--prices", type=Path, metavar="FILE", help="JSON {model: cost per request | {input, output}} for data without"
    )
    predictor = parser.add_mutually_exclusive_group()
    predictor.add_argument(
        "--predictor",
        default="mf",
        metavar="NAME",
        help=f"a strategy of `evaluate routing`, or `{_HEAD}`: the encoder's head (default: %(default)s)",
    )
    predictor.add_argument("--score-field", metavar="NAME", help="a member of the rows with the prediction")
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="only questions that the shipped encoder was not trained on: for the data that it was trained on",
    )
    strategies.add_options(parser)
    common.add_model(parser)
    parser.add_argument(
        "--quality",
        type=offline.share,
        default=0.98,
        metavar="X",
        help="aim at this share of the strong model's (0.98)",
    )
    parser.add_argument("--rounds", type=offline.whole(2, 10_000), default=100, metavar="N", help="(default: 100)")
    parser.add_argument("--seed", type=offline.whole(0, 2**32 - 1), default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write report.html and PNGs there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--strict", action="store_true", help="a bad row is an error, not left out")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict, simulate, compare, print."""
    import msgspec  # noqa: PLC0415 - with the heavy ones

    from extproc_router.evaluation import (  # noqa: PLC0415 - heavy
        cascade_simulation,
        cascade_tables,
        cascades,
        documents,
        outcomes,
    )

    if args.report:
        from extproc_router.evaluation import report  # noqa: PLC0415 - needs the `evaluate` extra

        report.prepare(args.report)
    fields = (args.score_field,) if args.score_field else ()
    rows, faults = outcomes.read(args.data, columns=fields, keep_texts=True, strict=args.strict)
    if faults.count:
        offline.tell(f"{faults}\n{faults.count:,} rows were left out")
    if args.held_out:
        rows = _held_out(rows)
    if args.prices:
        rows = outcomes.price(rows, offline.prices(args.prices), (args.weak, args.strong))
    pair = outcomes.pair(rows, weak=args.weak, strong=args.strong)
    found = cascades.evaluate(
        pair,
        _need(args, pair),
        predictor=args.score_field or args.predictor,
        goal=args.quality,
        rounds=args.rounds,
        seed=args.seed,
    )
    if args.report:
        from extproc_router.evaluation import cascade_report  # noqa: PLC0415 - needs the `evaluate` extra

        offline.tell(f"wrote {cascade_report.write(found, args.report, str(args.data))}")
    document = {**msgspec.to_builtins(found), "warnings": [cascade_simulation.ASSUMPTION]}
    print(documents.dump(document) if args.json else cascade_tables.cascades(found))
    return 0


def _held_out(rows: Outcomes) -> Outcomes:
    """Return the rows whose question the shipped encoder was neither fitted to nor, as a near-copy, has seen."""
    import numpy as np  # noqa: PLC0415 - heavy

    from extproc_router.training.data import Split, split_of  # noqa: PLC0415 - heavy

    questions = [text.partition(_OPTIONS)[0] for text in rows.texts or ()]
    kept = np.flatnonzero([split_of(question) is not Split.TRAIN for question in questions])
    offline.tell(f"{len(kept):,} of {len(rows):,} rows hold questions that the encoder was not trained on")
    if not len(kept):
        raise StartupError("no row is left")
    return rows.take(kept)


def _need(args: argparse.Namespace, pair: Pair) -> Floats:
    import numpy as np  # noqa: PLC0415 - heavy

    from extproc_router.evaluation.strategies import score  # noqa: PLC0415 - heavy

    if args.score_field:
        return pair.outcomes.column(args.score_field)
    if args.predictor == _HEAD:
        return np.array(_asked(args.model, pair.outcomes.texts or ()), dtype=np.float64)
    args.strategies = (args.predictor,)
    further = strategies.for_pairs(args)
    scores = score(args.strategies, pair, seed=args.seed, further=further, elsewhere=(*strategies.NAMES, _HEAD))
    return scores[args.predictor]


def _asked(model: Path, texts: tuple[str, ...]) -> list[float]:
    """Ask the encoder's head for the strong model's win rate."""
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.bulk.progress import Progress  # noqa: PLC0415 - heavy
    from extproc_router.types import Pair as Answer  # noqa: PLC0415 - heavy

    encoder = wiring.load_encoder(model)
    if _HEAD not in encoder.signals:
        raise StartupError(f"{model}: no head {_HEAD!r}, only {', '.join(encoder.signals)}")
    scores = []
    with Progress("reading prompts", len(texts)) as progress:
        for text in progress.over(texts):
            answer = encoder.encode(text, {_HEAD}).heads[_HEAD]
            if not isinstance(answer, Answer):
                raise StartupError(f"{model}: the head {_HEAD!r} is no pair")
            scores.append(answer.score)
    return scores
