"""`extproc-router calibrate`: a threshold for a budget or a quality target, from your own sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    import argparse

    from extproc_router.evaluation.calibrate import Goal, Sample
    from extproc_router.evaluation.outcomes import Outcomes

_FLOOR = "routing.confidence_floor"


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "calibrate",
        help="pick a threshold for a budget or a quality target",
        description=(
            "Pick the threshold above which a prompt goes to the strong model, or below which a cascade doubts an "
            "answer, on your own sample, and say what it will do on new requests. A sample too small to say is "
            "refused, with the number of rows needed."
        ),
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="rows, JSON Lines, also gzipped")
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument("--strong-share", type=offline.share, metavar="X", help="this share of calls to the strong model")
    goal.add_argument("--quality", type=offline.share, metavar="X", help="this share of the strong model's quality")
    goal.add_argument("--savings", type=offline.share, metavar="X", help="this much less cost than always-strong")
    score = parser.add_mutually_exclusive_group(required=True)
    score.add_argument("--score-field", metavar="NAME", help="the member of the rows that holds the score")
    score.add_argument("--strategy", metavar="NAME", help="a strategy that scores the rows")
    score.add_argument(
        "--cascade",
        action="store_true",
        help="fit the verifier's weights to rows {features, weak, strong, cost_weak, cost_strong}, and pick from which "
        "confidence on an answer is accepted",
    )
    score.add_argument(
        "--policy", type=Path, metavar="FILE", help="the score is the domain confidence that this policy's floor cuts"
    )
    common.add_model(parser)
    parser.add_argument(
        "--as", dest="names", action="append", default=[], metavar="NAME=MODEL", help="the policy's NAME is MODEL here"
    )
    parser.add_argument("--strong", metavar="MODEL", help="the dearer model")
    parser.add_argument("--weak", metavar="MODEL", help="the cheaper model")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="JSON {model: cost per request}")
    parser.add_argument(
        "--tolerance", type=offline.share, default=0.05, metavar="X", help="accepted +- of the goal (default: 0.05)"
    )
    parser.add_argument(
        "--requests", type=offline.whole(1, 10_000_000), default=10_000, metavar="N", help="new requests (10000)"
    )
    parser.add_argument(
        "--bootstrap", type=offline.whole(100, 100_000), default=1000, metavar="N", help="rounds (1000)"
    )
    parser.add_argument("--seed", type=offline.whole(0, 2**32 - 1), default=0, metavar="N", help="(default: 0)")
    parser.add_argument("--write", type=Path, metavar="POLICY", help="write the threshold into this file, in place")
    parser.add_argument("--field", default=_FLOOR, metavar="PATH", help="which field of it (default: %(default)s)")
    parser.add_argument("--rule", metavar="NAME", help="with --cascade and --write: the rule whose cascade it is")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--strict", action="store_true", help="a bad row is an error, not left out")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Pick, print, and write where asked."""
    if args.cascade:
        from extproc_router.cli import calibrate_cascade  # noqa: PLC0415 - heavy

        return calibrate_cascade.run(args, *_goal(args))
    if args.rule:
        raise StartupError("--rule names a cascade's rule: it goes with --cascade")
    return _run_routing(args)


def _run_routing(args: argparse.Namespace) -> int:
    from extproc_router.evaluation import calibrate, documents, outcomes, tables  # noqa: PLC0415 - heavy

    if bool(args.strong) != bool(args.weak):
        raise StartupError("give both --strong and --weak, or neither")
    if args.write and args.field == _FLOOR and not args.policy:
        raise StartupError(f"{_FLOOR} cuts the domain's confidence: calibrate that with --policy, or give --field")
    goal, value = _goal(args)
    if args.policy:
        _check_default(args)
    rows, faults = outcomes.read(
        args.data,
        columns=(args.score_field,) if args.score_field else (),
        keep_texts=args.policy is not None or args.strategy is not None,
        need_scores=args.strong is not None,
        strict=args.strict,
    )
    if faults.count:
        offline.tell(f"{faults}\n{faults.count:,} rows were left out")
    if args.prices and args.strong:
        rows = outcomes.price(rows, offline.prices(args.prices), (args.weak, args.strong))
    found = calibrate.calibrate(
        _sample(args, rows),
        goal,
        value,
        tolerance=args.tolerance,
        requests=args.requests,
        bootstrap=args.bootstrap,
        seed=args.seed,
    )
    if args.policy and found.threshold <= 0:
        raise StartupError("the goal takes more strong calls than the policy's rules can give, at any confidence floor")
    print(documents.dump(documents.calibration(found)) if args.json else tables.calibration(found))
    if args.write:
        if found.rounds < found.rounds_asked:
            raise StartupError(f"interrupted: nothing was written into {args.write}")
        _write(args, found.threshold)
    return 0


def _check_default(args: argparse.Namespace) -> None:
    """Refuse a policy whose floor, when it rises, sends more to the strong model instead of less."""
    from extproc_router import wiring  # noqa: PLC0415 - heavy

    default = wiring.read_config(args.policy).routing.default
    if args.strong and offline.model_names(args.names).get(default, default) == args.strong:
        raise StartupError(
            f"{args.policy}: the default, {default}, is the strong model: what the floor cuts off goes there, so that "
            "a threshold would do the reverse of what is calibrated here. Make the weak model the default"
        )


def _write(args: argparse.Namespace, threshold: float) -> None:
    """Put the threshold into the policy, unless the policy would have mistakes then."""
    from extproc_router.evaluation import policy_edit  # noqa: PLC0415 - heavy

    changed = policy_edit.spliced(policy_edit.read(args.write), args.field, threshold, str(args.write))
    policy_edit.write_sound(args.write, changed, f"with {args.field} {threshold!r} it says")
    offline.tell(f"wrote {args.field} into {args.write}")


def _goal(args: argparse.Namespace) -> tuple[Goal, float]:
    from extproc_router.evaluation.calibrate import Goal  # noqa: PLC0415 - heavy

    for goal, value in (
        (Goal.STRONG_SHARE, args.strong_share),
        (Goal.QUALITY, args.quality),
        (Goal.SAVINGS, args.savings),
    ):
        if value is not None:
            return goal, value
    raise StartupError("give a goal")


def _sample(args: argparse.Namespace, rows: Outcomes) -> Sample:
    import numpy as np  # noqa: PLC0415 - heavy

    from extproc_router.evaluation import outcomes, strategies  # noqa: PLC0415 - heavy
    from extproc_router.evaluation.calibrate import Sample  # noqa: PLC0415 - heavy

    pair = outcomes.pair(rows, weak=args.weak, strong=args.strong) if args.strong else None
    kept = rows if pair is None else pair.outcomes
    if args.score_field:
        score = kept.column(args.score_field)
    elif pair is None:
        raise StartupError("--strategy and --policy need --strong and --weak")
    elif args.policy:
        from extproc_router.evaluation import policies  # noqa: PLC0415 - loads the encoder's room

        models = (args.weak, args.strong)
        verdicts = policies.judge(args.policy, args.model, kept.texts or (), models, offline.model_names(args.names))
        if len(verdicts.choice) < len(kept):
            raise StartupError(
                f"interrupted: the policy saw {len(verdicts.choice):,} of {len(kept):,} rows; the first are no sample"
            )
        score = verdicts.confidence[:, 1]
    else:
        score = strategies.score((args.strategy,), pair, seed=args.seed)[args.strategy]
    if pair is None:
        return Sample(score, None, None)
    return Sample(score, np.stack([pair.weak, pair.strong], axis=1), pair.costs)
