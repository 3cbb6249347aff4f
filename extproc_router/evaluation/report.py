"""Reports: a self-contained `report.html`, and each figure as PNG beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.errors import StartupError
from extproc_router.evaluation import figures, offline
from extproc_router.evaluation.cautions import cautions, many_cautions
from extproc_router.evaluation.page import Page
from extproc_router.evaluation.tables import NOTHING, interval, number

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.evaluation.drift import Drift
    from extproc_router.evaluation.figures import Drawing
    from extproc_router.evaluation.findings import Routing
    from extproc_router.evaluation.heads import Figure, HeadFindings
    from extproc_router.evaluation.many import ManyRouting

HTML = "report.html"


def prepare(directory: Path) -> None:
    """Find out before the figures are computed whether a report can be written.

    Raises:
        StartupError: matplotlib is not installed, or the directory cannot be made.
    """
    figures.check()
    offline.make_directory(directory)


def write_routing(found: Routing, directory: Path, source: str) -> Path:
    """Report on a pair of models.

    Args:
        found: the figures.
        directory: made where it is missing; files of the same names are replaced.
        source: where the rows come from, for the subtitle.

    Returns:
        The page's path.

    Raises:
        StartupError: matplotlib is not installed, or a file cannot be written.
    """
    page = Page(
        f"Routing between {found.weak.name} and {found.strong.name}",
        f"{source}: {found.n:,} rows, {found.rounds:,} bootstrap rounds, seed {found.seed}; intervals are 95 %",
    )
    page.warnings(cautions(found))
    page.facts(
        [
            ("always weak", number(found.weak.quality, 4), interval(found.weak.interval, 4)),
            ("always strong", number(found.strong.quality, 4), interval(found.strong.interval, 4)),
            ("gap", number(found.gap, 4), interval(found.gap_interval, 4)),
            ("the better model of each row", number(found.oracle_quality, 4), "with hindsight"),
            ("headroom over the better model", number(found.headroom, 4), interval(found.headroom_interval, 4)),
        ]
    )
    drawings = [figures.frontier(found)]
    page.heading("Frontier")
    page.figure(
        drawings[0].svg,
        "Each line walks through every cut point of one strategy, from always-weak on the left to always-strong on the "
        "right; shades are pointwise 95 % intervals. Above the dotted line is better than chance.",
    )
    page.heading("Strategies")
    page.table(
        [
            "strategy",
            "APGR",
            "interval",
            "CPT50 %",
            "interval",
            "CPT80 %",
            "AUC",
            "oracle gap",
            "regret",
            "best",
            "at",
        ],
        [
            [
                name,
                number(row.apgr, 3),
                interval(row.apgr_interval, 3),
                number(row.cpt50, 1),
                interval(row.cpt50_interval, 1),
                number(row.cpt80, 1),
                number(row.auc, 4),
                number(row.oracle_gap, 3),
                number(row.regret, 4),
                number(row.peak.quality, 4),
                f"{row.peak.share:.1%}",
            ]
            for name, row in sorted(found.strategies.items(), key=lambda item: -(item[1].apgr or 0.0))
        ],
    )
    page.text(
        "APGR: mean share of the gap that is recovered, over all shares of strong calls; 0.5 is chance. CPT: the least "
        "share of strong calls, in percent, that recovers so much of the gap. Regret: what the strategy's best point "
        "loses to the better model of each row."
    )
    page.heading("Policies without a threshold")
    page.table(
        ["policy", "strong calls", "quality", "interval", "over chance", "interval", "regret", "cost"],
        [
            [
                name,
                f"{row.point.share:.1%}",
                number(row.point.quality, 4),
                interval(row.interval, 4),
                number(row.over_random, 4),
                interval(row.over_random_interval, 4),
                number(row.regret, 4),
                number(row.point.cost, 6),
            ]
            for name, row in found.fixed.items()
        ],
    )
    if found.costs:
        _add_costs(found, page, drawings)
    if found.groups:
        page.heading("By group")
        page.table(
            ["group", "rows", "weak", "strong", "gap", "better of both", "headroom"],
            [
                [
                    group.name,
                    f"{group.n:,}",
                    number(group.weak, 3),
                    number(group.strong, 3),
                    number(group.strong - group.weak, 3),
                    number(group.oracle, 3),
                    number(group.oracle - max(group.weak, group.strong), 3),
                ]
                for group in found.groups
            ],
        )
    return write_page(page, drawings, directory)


def _add_costs(found: Routing, page: Page, drawings: list[Drawing]) -> None:
    if not found.costs or not found.strong.cost:
        return
    page.heading("Cost")
    levels = (("pgr50", "50 % of the gap"), ("pgr80", "80 %"), ("pgr95", "95 %"))
    page.table(
        ["cost, and saved over always-strong", *(title for _, title in levels)],
        [
            [
                name,
                *(
                    f"{point.cost:.6f} ({1 - point.cost / found.strong.cost:.0%})"
                    if (point := ranked.points.get(level)) and point.cost is not None
                    else NOTHING
                    for level, _ in levels
                ),
            ]
            for name, ranked in sorted(found.strategies.items(), key=lambda item: -(item[1].apgr or 0.0))
        ],
    )
    drawings.append(figures.costs(found.costs))
    page.figure(drawings[-1].svg, "Requests by their cost on each model.")


def write_many(found: ManyRouting, directory: Path, source: str) -> Path:
    """Report on many models; arguments as for `write_routing`."""
    best = found.models[0]
    page = Page(
        f"Routing among {len(found.models)} models",
        f"{source}: {found.n:,} rows, {found.rounds:,} bootstrap rounds, seed {found.seed}; intervals are 95 %",
    )
    page.warnings(many_cautions(found))
    page.facts(
        [
            (f"best single: {best.name}", number(best.quality, 4), interval(best.interval, 4)),
            ("the best model of each row", number(found.oracle_quality, 4), "with hindsight"),
            ("headroom", number(found.headroom, 4), interval(found.headroom_interval, 4)),
            ("a model drawn at random", number(found.random, 4), ""),
        ]
    )
    known = best.cost is not None
    drawings = [figures.many_frontier(found) if known else figures.models_bars(found)]
    page.heading("Frontier" if known else "Quality")
    page.figure(
        drawings[0].svg,
        "From the cheapest choice for every row to the best predicted one." if known else "Costs are not known.",
    )
    page.heading("Strategies")
    page.table(
        ["strategy", "quality", "interval", "over best single", "interval", "cost", "AUC", "oracle gap"],
        [
            [
                name,
                number(row.quality, 4),
                interval(row.interval, 4),
                number(row.over_best, 4),
                interval(row.over_best_interval, 4),
                number(row.cost, 6),
                number(row.auc, 4),
                number(row.oracle_gap, 4),
            ]
            for name, row in sorted(found.strategies.items(), key=lambda item: -item[1].quality)
        ],
    )
    page.heading("Which models they use")
    page.table(
        ["strategy", "share of requests"],
        [
            [
                name,
                ", ".join(
                    f"{share:.1%} {model}" for model, share in sorted(row.shares.items(), key=lambda item: -item[1])
                ),
            ]
            for name, row in found.strategies.items()
        ],
        left=(0, 1),
    )
    page.heading("Models")
    page.table(
        ["model", "quality", "interval", "cost"],
        [
            [model.name, number(model.quality, 4), interval(model.interval, 4), number(model.cost, 6)]
            for model in found.models
        ],
    )
    return write_page(page, drawings, directory)


def write_heads(found: HeadFindings, directory: Path, source: str) -> Path:
    """Report on a head; arguments as for `write_routing`."""
    page = Page(
        f"A head over {len(found.labels)} labels",
        f"{source}: {found.n:,} rows, {found.rounds:,} bootstrap rounds, seed {found.seed}; intervals are 95 %",
    )
    named: list[tuple[str, Figure]] = [
        ("accuracy", found.accuracy),
        ("macro-F1", found.macro_f1),
        ("AUC", found.auc),
        (f"recall at FPR {found.fpr:g}", found.recall),
        ("ECE", found.ece),
    ]
    page.facts(
        [
            *((name, number(figure.value, 4), interval(figure.interval, 4)) for name, figure in named),
            ("always the commonest label", number(found.majority, 4), "accuracy"),
        ]
    )
    drawings = [figures.reliability(found), figures.confusion(found)]
    page.heading("Is it as right as it is sure?")
    page.figure(drawings[0].svg, "Below the dashed line the head is surer than it is right.")
    page.heading("What is taken for what")
    page.figure(drawings[1].svg, "Percent of each true label.")
    for title, slices in (("By source", found.sources), ("By length", found.lengths)):
        if slices:
            page.heading(title)
            page.table(
                ["", "rows", "accuracy", "interval", "macro-F1", "ECE"],
                [
                    [
                        name,
                        f"{part.n:,}",
                        number(part.accuracy, 4),
                        interval(part.interval, 4),
                        number(part.macro_f1, 4),
                        number(part.ece, 4),
                    ]
                    for name, part in slices.items()
                ],
            )
    return write_page(page, drawings, directory)


def write_drift(found: Drift, directory: Path, source: str) -> Path:
    """Report on drift; arguments as for `write_routing`."""
    page = Page("Has the traffic moved?", f"{source}: {found.before:,} requests before, {found.after:,} now")
    if found.remeasure:
        page.warnings(["The requests have moved: measure the frontier again."])
    else:
        page.text("The requests have not moved enough to measure the frontier again.")
    for note in found.notes:
        page.text(f"Note: {note}.")
    drawings = [figures.drift(found)]
    page.heading("How far each signal moved")
    page.figure(drawings[0].svg, "Coloured bars are alarms: significant, and of a size.")
    page.table(
        ["signal", "", "effect", "PSI", "Jensen-Shannon", "p (Holm)", "moved most"],
        [
            [
                shift.signal,
                "alarm" if shift.alarm else "",
                f"{'V' if shift.kind == 'labels' else 'D'} {number(shift.effect, 3)}",
                number(shift.psi, 3),
                number(shift.jensen_shannon, 3),
                f"{shift.p_adjusted:.2g}",
                ", ".join(f"{change.label} {change.before:.1%} → {change.after:.1%}" for change in shift.moved),
            ]
            for shift in found.shifts
        ],
        left=(0, 1, 6),
    )
    page.text(
        f"Without any change, an alarm would come in at most {found.alpha:.1%} of comparisons (Holm); an alarm also "
        f"needs a population stability index of {found.least_psi:g}."
    )
    for name, (before, after) in found.millis.items():
        drawings.append(figures.latency(name, before, after))
        page.heading("Latency")
        page.figure(drawings[-1].svg, "Not tested: it says how the router fares, not what the requests are.")
    return write_page(page, drawings, directory)


def write_page(page: Page, drawings: list[Drawing], directory: Path) -> Path:
    """Write a page and its drawings.

    Raises:
        StartupError: a file cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for drawing in drawings:
            (directory / f"{drawing.name}.png").write_bytes(drawing.png)
        path = directory / HTML
        path.write_text(page.html(), encoding="utf-8")
    except OSError as error:
        raise StartupError(f"{directory}: {error.strerror or error}") from error
    return path
