"""Findings as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.evaluation.cautions import cautions, many_cautions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extproc_router.evaluation.calibrate import Calibration
    from extproc_router.evaluation.drift import Drift
    from extproc_router.evaluation.findings import Interval, Point, Ranked, Routing
    from extproc_router.evaluation.heads import HeadFindings, Slice
    from extproc_router.evaluation.many import ManyRouting, Mixed
    from extproc_router.evaluation.spans import SpanFindings

NOTHING = "-"
_SHOWN_MODELS = 3
_SHOWN_MISTAKES = 10


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: tuple[int, ...] = (0,)) -> str:
    """Align columns: those in `left` to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def routing(found: Routing) -> str:
    """Write the evaluation of a pair: the models, the strategies by APGR, the points, and what to beware of."""
    ranked = sorted(found.strategies.items(), key=lambda item: -(item[1].apgr or 0.0))
    costs = found.weak.cost is not None
    models = [
        [label, model.name, number(model.quality, 4), interval(model.interval, 4)]
        + ([number(model.cost, 6)] if costs else [])
        for label, model in (("weak", found.weak), ("strong", found.strong))
    ]
    parts = [
        f"{found.n:,} rows; 95 % intervals from {found.rounds:,} rounds, seed {found.seed}",
        table(["", "model", "quality", "interval"] + (["cost"] if costs else []), models),
        (
            f"the better model of each row: {found.oracle_quality:.4f}, {found.headroom:.4f} above the better single "
            f"model {interval(found.headroom_interval, 4)}"
        ),
        table(
            ["strategy", "APGR", "interval", "CPT50 %", "CPT80 %", "AUC", "oracle gap", "regret", "best", "at share"],
            [_ranked(name, row) for name, row in ranked],
        ),
        table(
            ["fixed", "share", "quality", "interval", "over random", "interval", "regret"]
            + (["cost"] if costs else []),
            [
                [
                    name,
                    number(row.point.share, 3),
                    number(row.point.quality, 4),
                    interval(row.interval, 4),
                    number(row.over_random, 4),
                    interval(row.over_random_interval, 4),
                    number(row.regret, 4),
                ]
                + ([number(row.point.cost, 6)] if costs else [])
                for name, row in found.fixed.items()
            ],
        ),
    ]
    if costs:
        parts.append(_savings(found))
    return "\n\n".join([*parts, *(f"warning: {caution}" for caution in cautions(found))])


def many(found: ManyRouting) -> str:
    """Write the evaluation of many models."""
    parts = [
        f"{found.n:,} rows, {len(found.models)} models; 95 % intervals from {found.rounds:,} rounds, seed {found.seed}",
        table(
            ["model", "quality", "interval", "cost"],
            [
                [model.name, number(model.quality, 4), interval(model.interval, 4), number(model.cost, 6)]
                for model in found.models
            ],
        ),
        (
            f"the best model of each row: {found.oracle_quality:.4f}, {found.headroom:.4f} above the best single model "
            f"({interval(found.headroom_interval, 4)}); a model drawn at random: {found.random:.4f}"
        ),
        table(
            ["strategy", "quality", "interval", "over best", "interval", "cost", "AUC", "oracle gap", "regret", "mix"],
            [_mixed(name, row) for name, row in sorted(found.strategies.items(), key=lambda item: -item[1].quality)],
            left=(0, 9),
        ),
    ]
    return "\n\n".join([*parts, *(f"warning: {caution}" for caution in many_cautions(found))])


def heads(found: HeadFindings) -> str:
    """Write the evaluation of a head: figures, slices, and what is taken for what."""
    figures = [
        ("accuracy", found.accuracy),
        ("macro-F1", found.macro_f1),
        ("AUC", found.auc),
        (f"recall at FPR {found.fpr:g}", found.recall),
        ("ECE", found.ece),
    ]
    parts = [
        f"{found.n:,} rows, {len(found.labels)} labels; 95 % intervals from {found.rounds:,} rounds, seed {found.seed}",
        table(
            ["figure", "value", "interval"],
            [[name, number(figure.value, 4), interval(figure.interval, 4)] for name, figure in figures]
            + [["always the commonest label", number(found.majority, 4), NOTHING]],
        ),
    ]
    parts += [
        _slices(title, slices) for title, slices in (("source", found.sources), ("length", found.lengths)) if slices
    ]
    if found.flagged:
        rows = [
            [name, str(part.positives), number(part.recall, 4), str(part.negatives), number(part.false_positives, 4)]
            for name, part in found.flagged.items()
        ]
        parts.append(table(["at the shipped threshold", "yes", "flagged", "no", "flagged"], rows))
    mistaken = sorted(
        (
            (count, true, predicted)
            for true, row in enumerate(found.confusion)
            for predicted, count in enumerate(row)
            if count and true != predicted
        ),
        reverse=True,
    )[:_SHOWN_MISTAKES]
    if mistaken:
        rows = [[found.labels[true], found.labels[predicted], str(count)] for count, true, predicted in mistaken]
        parts.append(table(["is", "was read as", "rows"], rows, left=(0, 1)))
    if found.interrupted or found.rounds < found.rounds_asked:
        parts.append(f"warning: interrupted: {found.n:,} rows and {found.rounds} of {found.rounds_asked} rounds are in")
    return "\n\n".join(parts)


def spans(found: SpanFindings) -> str:
    """Write the evaluation of a head that finds spans: figures, types, sources."""
    figures = [
        ("F1", found.f1),
        ("precision", found.precision),
        ("recall", found.recall),
        ("F1 whatever the type", found.blind_f1),
    ]
    parts = [
        (
            f"{found.n:,} rows, {found.spans:,} spans, {found.found:,} found; 95 % intervals from {found.rounds:,} "
            f"rounds, seed {found.seed}"
        ),
        table(
            ["figure", "value", "interval"],
            [[name, number(figure.value, 4), interval(figure.interval, 4)] for name, figure in figures]
            + [[f"alarms in {found.clean:,} rows without a span", number(found.alarms, 4), NOTHING]],
        ),
    ]
    parts += [
        table(
            [title, "spans", "found", "precision", "recall", "F1"],
            [
                [
                    name,
                    str(part.spans),
                    str(part.found),
                    *(number(value, 4) for value in (part.precision, part.recall, part.f1)),
                ]
                for name, part in slices.items()
            ],
        )
        for title, slices in (("type", found.types), ("source", found.sources))
        if slices
    ]
    return "\n\n".join(parts)


def calibration(found: Calibration) -> str:
    """Write a threshold and what to expect of it."""
    rows = [
        [name, number(here, 3), interval(there, 3)]
        for name, here, there in (
            ("share of strong calls", found.sample.share, found.expected.share),
            ("quality / strong's", found.sample.quality, found.expected.quality),
            ("saved / always-strong", found.sample.savings, found.expected.savings),
        )
        if here is not None
    ]
    parts = [
        f"threshold {found.threshold!r}  (score >= threshold goes to the strong model)",
        table(["", f"{found.n:,} rows here", f"expected, {found.requests:,} new requests"], rows),
        f"95 % ranges, {found.rounds:,} rounds, seed {found.seed}; by the sample's size alone: +-{found.margin:.3f}",
    ]
    if found.rounds < found.rounds_asked:
        parts.append(f"warning: interrupted after {found.rounds} of {found.rounds_asked} rounds")
    return "\n\n".join(parts)


def drift(found: Drift) -> str:
    """Write what moved, by how much, and whether to measure again."""
    rows = [
        [
            shift.signal,
            "ALARM" if shift.alarm else "",
            "V" if shift.kind == "labels" else "D",
            number(shift.effect, 3),
            number(shift.psi, 3),
            number(shift.jensen_shannon, 3),
            f"{shift.p_adjusted:.2g}",
            ", ".join(f"{change.label} {change.before:.1%} -> {change.after:.1%}" for change in shift.moved),
        ]
        for shift in found.shifts
    ]
    alarms = sum(shift.alarm for shift in found.shifts)
    verdict = (
        "the requests have moved: measure the frontier again"
        if found.remeasure
        else "the requests have not moved enough to measure the frontier again"
    )
    return "\n\n".join(
        [
            f"{found.before:,} requests before, {found.after:,} now; {len(found.shifts)} signals, {alarms} alarms",
            table(["signal", "", "", "effect", "PSI", "JS", "p (Holm)", "moved most"], rows, left=(0, 1, 7)),
            (
                f"without any change, an alarm would come in at most {found.alpha:.1%} of comparisons (Holm); an alarm "
                f"also needs a PSI of {found.least_psi:g}"
            ),
            verdict,
            *(f"note: {note}" for note in found.notes),
        ]
    )


def _slices(title: str, slices: Mapping[str, Slice]) -> str:
    rows = [
        [
            name,
            f"{part.n:,}",
            number(part.accuracy, 4),
            interval(part.interval, 4),
            number(part.macro_f1, 4),
            number(part.ece, 4),
        ]
        for name, part in slices.items()
    ]
    return table([title, "rows", "accuracy", "interval", "macro-F1", "ECE"], rows)


def _mixed(name: str, row: Mixed) -> list[str]:
    mix = sorted(row.shares.items(), key=lambda item: -item[1])[:_SHOWN_MODELS]
    return [
        name,
        number(row.quality, 4),
        interval(row.interval, 4),
        number(row.over_best, 4),
        interval(row.over_best_interval, 4),
        number(row.cost, 6),
        number(row.auc, 4),
        number(row.oracle_gap, 4),
        number(row.regret, 4),
        ", ".join(f"{share:.0%} {model}" for model, share in mix),
    ]


def _ranked(name: str, row: Ranked) -> list[str]:
    return [
        name,
        number(row.apgr, 3),
        interval(row.apgr_interval, 3),
        number(row.cpt50, 1),
        number(row.cpt80, 1),
        number(row.auc, 4),
        number(row.oracle_gap, 3),
        number(row.regret, 4),
        number(row.peak.quality, 4),
        number(row.peak.share, 3),
    ]


def _savings(found: Routing) -> str:
    """Write what each strategy costs where it recovers 50, 80 and 95 % of the gap."""
    levels = ("pgr50", "pgr80", "pgr95")

    def cell(point: Point | None) -> str:
        if point is None or point.cost is None or not found.strong.cost:
            return NOTHING
        return f"{point.cost:.6f} ({1 - point.cost / found.strong.cost:+.0%})"

    rows = [[name, *(cell(row.points.get(level)) for level in levels)] for name, row in found.strategies.items()]
    return table(["cost (saved over always-strong)", "50 % of gap", "80 %", "95 %"], rows)


def number(value: float | None, decimals: int) -> str:
    """Write a number, or a dash where there is none."""
    return NOTHING if value is None else f"{round(value, decimals) + 0.0:.{decimals}f}"


def interval(bounds: Interval | None, decimals: int) -> str:
    """Write an interval, or a dash where there is none."""
    return NOTHING if bounds is None else f"{number(bounds[0], decimals)} .. {number(bounds[1], decimals)}"
