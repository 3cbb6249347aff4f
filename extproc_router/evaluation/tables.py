"""Findings as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.evaluation.cautions import cautions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.evaluation.findings import Interval, Point, Ranked, Routing

NOTHING = "-"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
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
