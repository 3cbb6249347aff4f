"""`extproc-router evaluate`: is the routing worth it, and are the heads right?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common, evaluate_cascade, strategies
from extproc_router.cli.fit import STRATEGIES as LEARNED
from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    import argparse

    from extproc_router.encoder import Encoder
    from extproc_router.evaluation.arrays import Flags, Floats
    from extproc_router.evaluation.findings import Routing
    from extproc_router.evaluation.head_rows import Answer
    from extproc_router.evaluation.many import ManyRouting
    from extproc_router.evaluation.outcomes import Outcomes
    from extproc_router.evaluation.policies import Verdicts
    from extproc_router.learning.spans import Key
    from extproc_router.types import HeadAnswer

_MOST_ROUNDS = 100_000
_SPAN_HEADS = ("pii",)
# What --policy adds.
_POLICY = ("policy", "policy-domains", "policy-confidence")


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command and its subjects."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure routing strategies, cascades, or the encoder's heads, on your own data",
        description="Measure on your own data, with intervals, beside baselines that cost nothing.",
    )
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    _register_routing(subjects)
    _register_heads(subjects)
    evaluate_cascade.register(subjects)


def run(args: argparse.Namespace) -> int:
    """Run the chosen subject."""
    return int(args.run(args))


def _register_routing(subjects: Any) -> None:  # noqa: ANN401 - as above
    parser = subjects.add_parser(
        "routing",
        help="the cost-quality frontier",
        description=(
            "Measure routing on rows {prompt | messages, scores: {model: number}, costs?, group?}: the frontier over "
            "every cut point, APGR, CPT, oracle and regret, beside random, prompt length and group mean. Without "
            "--strong and --weak: all models at once."
        ),
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="outcomes, JSON Lines, also gzipped")
    parser.add_argument("--strong", metavar="MODEL", help="the dearer model of a pair")
    parser.add_argument("--weak", metavar="MODEL", help="the cheaper model of a pair")
    parser.add_argument(
        "--score-field",
        action="append",
        default=[],
        metavar="NAME",
        help="a member of the rows with a precomputed score, higher where the strong model is needed; may be repeated",
    )
    parser.add_argument(
        "--strategies",
        type=offline.names,
        default=(),
        metavar="A,B",
        help=f"further strategies, fitted out of fold or asked: {', '.join(strategies.NAMES)}",
    )
    strategies.add_options(parser)
    parser.add_argument("--policy", type=Path, metavar="FILE", help="evaluate this policy file as a whole")
    common.add_model(parser)
    parser.add_argument(
        "--as",
        dest="names",
        action="append",
        default=[],
        metavar="NAME=MODEL",
        help="the policy's model NAME is the data's MODEL; may be repeated",
    )
    parser.add_argument(
        "--prices", type=Path, metavar="FILE", help="JSON {model: cost per request | {input, output}} for data without"
    )
    parser.add_argument("--group-field", metavar="NAME", help="which member is the group (default: the first known)")
    parser.add_argument("--folds", type=offline.whole(2, 100), default=5, metavar="N", help="of what is fitted (5)")
    _add_common(parser)
    parser.set_defaults(run=run_routing)


def _register_heads(subjects: Any) -> None:  # noqa: ANN401 - as above
    parser = subjects.add_parser(
        "heads",
        help="a head's answers against labels",
        description=(
            "Measure a head on rows {label, probs: {label: p}}, {label, NAME: {probs | p, flag}} as `score` writes "
            "them, {label, score} for yes-or-no labels, or {label, text}: the encoder reads the text then. Spans: "
            "{spans: [{start, end, type}], NAME: [...] | text}."
        ),
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="rows, JSON Lines, also gzipped")
    parser.add_argument("--head", default="domain", metavar="NAME", help="which head (default: %(default)s)")
    parser.add_argument(
        "--spans", action="store_true", help=f"the head finds spans (so it is understood of {', '.join(_SPAN_HEADS)})"
    )
    parser.add_argument("--label-field", default="label", metavar="NAME", help="the true label (default: %(default)s)")
    parser.add_argument(
        "--fpr",
        type=offline.share,
        default=0.01,
        metavar="X",
        help="false-positive rate for recall (default: 0.01)",
    )
    common.add_model(parser)
    _add_common(parser)
    parser.set_defaults(run=run_heads)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--report", type=Path, metavar="DIR", help="write report.html and PNGs there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--bootstrap",
        type=offline.whole(0, _MOST_ROUNDS),
        default=1000,
        metavar="N",
        help="rounds (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=offline.whole(0, 2**32 - 1), default=0, metavar="N", help="(default: %(default)s)"
    )
    parser.add_argument("--strict", action="store_true", help="a bad row is an error, not left out")


def run_routing(args: argparse.Namespace) -> int:
    """Evaluate a pair, or all models."""
    from extproc_router.evaluation import documents, outcomes, tables  # noqa: PLC0415 - heavy

    if bool(args.strong) != bool(args.weak):
        raise StartupError("give both --strong and --weak, or neither")
    args.score_field = list(dict.fromkeys(args.score_field))
    _check_names(args.score_field)
    _prepare(args)
    rows, faults = outcomes.read(
        args.data,
        columns=tuple(args.score_field),
        group_field=args.group_field,
        keep_texts=args.policy is not None or not set(strategies.NAMES).isdisjoint(args.strategies),
        strict=args.strict,
    )
    if faults.count:
        offline.tell(f"{faults}\n{faults.count:,} rows were left out")
    if args.strong:
        found = _pair(args, rows)
        if args.report:
            from extproc_router.evaluation import report  # noqa: PLC0415 - needs the `evaluate` extra

            offline.tell(f"wrote {report.write_routing(found, args.report, str(args.data))}")
        print(documents.dump(documents.routing(found)) if args.json else tables.routing(found))
        return 0
    everything = _many(args, rows)
    if args.report:
        from extproc_router.evaluation import report  # noqa: PLC0415 - needs the `evaluate` extra

        offline.tell(f"wrote {report.write_many(everything, args.report, str(args.data))}")
    print(documents.dump(documents.many(everything)) if args.json else tables.many(everything))
    return 0


def run_heads(args: argparse.Namespace) -> int:
    """Evaluate a head."""
    from extproc_router.evaluation import documents, head_rows, heads, tables  # noqa: PLC0415 - heavy

    if args.spans or args.head in _SPAN_HEADS:
        return _run_spans(args)
    _prepare(args)
    reader = _Reader(args.model, args.head)
    answers, faults = head_rows.read(
        args.data, args.head, label_field=args.label_field, encode=reader.label, strict=args.strict
    )
    if faults.count:
        offline.tell(f"{faults}\n{faults.count:,} rows were left out")
    found = heads.evaluate(answers, fpr=args.fpr, bootstrap=args.bootstrap, seed=args.seed)
    if args.report:
        from extproc_router.evaluation import report  # noqa: PLC0415 - needs the `evaluate` extra

        offline.tell(f"wrote {report.write_heads(found, args.report, str(args.data))}")
    print(documents.dump(documents.heads(found)) if args.json else tables.heads(found))
    return 0


def _run_spans(args: argparse.Namespace) -> int:
    from extproc_router.evaluation import documents, spans, tables  # noqa: PLC0415 - heavy

    if args.report:
        raise StartupError("--report draws no figures of spans; leave it out")
    rows, faults = spans.read(args.data, args.head, encode=_Reader(args.model, args.head).spans, strict=args.strict)
    if faults.count:
        offline.tell(f"{faults}\n{faults.count:,} rows were left out")
    found = spans.evaluate(rows, bootstrap=args.bootstrap, seed=args.seed)
    print(documents.dump(documents.spans(found)) if args.json else tables.spans(found))
    return 0


def _prepare(args: argparse.Namespace) -> None:
    if args.report:
        from extproc_router.evaluation import report  # noqa: PLC0415 - needs the `evaluate` extra

        report.prepare(args.report)


def _check_names(fields: list[str]) -> None:
    """Refuse members whose figures would stand under the name of something else."""
    from extproc_router.evaluation.strategies import STRATEGIES  # noqa: PLC0415 - heavy

    taken = sorted({*STRATEGIES, *strategies.NAMES, *_POLICY} & {*fields})
    if taken:
        raise StartupError(f"--score-field {', '.join(taken)}: a strategy is called that; rename the member")


class _Reader:
    """Asks the encoder, which is loaded once it is needed."""

    def __init__(self, model: Path, head: str) -> None:
        self._model, self._head = model, head
        self._encoder: Encoder | None = None

    def label(self, text: str) -> Answer:
        """Read a label or a flag."""
        from extproc_router.evaluation.head_rows import Answer, of_flag  # noqa: PLC0415 - heavy
        from extproc_router.types import Classification, Flag  # noqa: PLC0415 - heavy

        answer = self._ask(text)
        if isinstance(answer, Classification):
            return Answer(answer.probs)
        if isinstance(answer, Flag):
            return of_flag(answer.p, raised=answer.raised)
        how = "--spans" if isinstance(answer, tuple) else "`evaluate routing` on its scores"
        raise StartupError(f"the head {self._head!r} gives no label: measure it with {how}")

    def spans(self, text: str) -> list[Key]:
        """Find spans."""
        answer = self._ask(text)
        if not isinstance(answer, tuple):
            raise StartupError(f"the head {self._head!r} finds no spans: leave --spans out")
        return [(span.start, span.end, span.type) for span in answer]

    def _ask(self, text: str) -> HeadAnswer:
        if self._encoder is None:
            from extproc_router import wiring  # noqa: PLC0415 - heavy

            self._encoder = wiring.load_encoder(self._model)
            if self._head not in self._encoder.signals:
                raise StartupError(f"{self._model}: no head {self._head!r}, only {', '.join(self._encoder.signals)}")
        return self._encoder.encode(text, {self._head}).heads[self._head]


def _pair(args: argparse.Namespace, rows: Outcomes) -> Routing:
    from extproc_router.evaluation import outcomes, routing  # noqa: PLC0415 - heavy
    from extproc_router.evaluation.strategies import score  # noqa: PLC0415 - heavy

    if args.prices:
        rows = outcomes.price(rows, offline.prices(args.prices), (args.weak, args.strong))
    pair = outcomes.pair(rows, weak=args.weak, strong=args.strong)
    fixed: dict[str, Flags] = {}
    scores: dict[str, Floats] = {}
    if args.policy:
        kept, verdicts = _judge(args, pair.outcomes, (args.weak, args.strong))
        pair = outcomes.pair(kept, weak=args.weak, strong=args.strong)
        fixed[_POLICY[0]] = verdicts.choice == 1
        scores[_POLICY[1]] = verdicts.preference[:, 1]
        scores[_POLICY[2]] = verdicts.confidence[:, 1]
    further = strategies.for_pairs(args)
    scores |= score(
        args.strategies, pair, folds=args.folds, seed=args.seed, further=further, elsewhere=strategies.NAMES
    )
    scores |= {name: pair.outcomes.column(name) for name in args.score_field}
    return routing.evaluate(
        pair.outcomes, scores, strong=args.strong, weak=args.weak, fixed=fixed, bootstrap=args.bootstrap, seed=args.seed
    )


def _many(args: argparse.Namespace, rows: Outcomes) -> ManyRouting:
    import numpy as np  # noqa: PLC0415 - heavy

    from extproc_router.config.meaning import did_you_mean  # noqa: PLC0415 - heavy
    from extproc_router.evaluation import many, outcomes  # noqa: PLC0415 - heavy
    from extproc_router.evaluation.predictors import PREDICTORS  # noqa: PLC0415 - heavy

    if args.score_field:
        raise StartupError("--score-field ranks rows for one strong model: give --strong and --weak")
    predictors = {**PREDICTORS, **strategies.for_many(args)}
    unknown = [name for name in args.strategies if name not in predictors]
    if unknown:
        every = [*PREDICTORS, *LEARNED]
        near = did_you_mean(unknown[0], every)
        raise StartupError(f"unknown strategy {', '.join(unknown)}{near} for many models; known: {', '.join(every)}")
    kept, left = many.complete(rows)
    if left:
        offline.tell(f"left out, tried on less than 95 % of the rows: {', '.join(left)}")
    if args.prices:
        kept = outcomes.price(kept, offline.prices(args.prices), kept.models)
    predictions: dict[str, Floats] = {}
    if args.policy:
        kept, verdicts = _judge(args, kept, kept.models)
        predictions["policy"] = np.eye(len(kept.models))[verdicts.choice]
    predictions |= {name: predictors[name](kept, args.folds, args.seed) for name in args.strategies}
    return many.evaluate(kept, predictions, bootstrap=args.bootstrap, folds=args.folds, seed=args.seed)


def _judge(args: argparse.Namespace, rows: Outcomes, models: tuple[str, ...]) -> tuple[Outcomes, Verdicts]:
    """Run the policy; after Ctrl-C everything is measured on the rows that it has seen."""
    import numpy as np  # noqa: PLC0415 - heavy

    from extproc_router.evaluation import policies  # noqa: PLC0415 - loads the encoder's room

    verdicts = policies.judge(args.policy, args.model, rows.texts or (), models, offline.model_names(args.names))
    seen = len(verdicts.choice)
    if seen < len(rows):
        offline.tell(f"interrupted: the figures rest on the first {seen:,} of {len(rows):,} rows")
    return rows.take(np.arange(seen)), verdicts
