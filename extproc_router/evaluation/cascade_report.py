"""The report on cascades: a self-contained page, and its figure as PNG beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.evaluation import cascade_tables, figures, report
from extproc_router.evaluation.cascade_simulation import ASSUMPTION
from extproc_router.evaluation.page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.evaluation.cascades import Cascades


def write(found: Cascades, directory: Path, source: str) -> Path:
    """Report; arguments, result and errors as for `report.write_routing`."""
    page = Page(
        f"Cascades from {found.weak} to {found.strong}",
        f"{source}: {found.n:,} rows, {found.rounds:,} rounds, seed {found.seed}; ranges hold 95 % of the rounds; "
        f"prediction by {found.predictor}; a weak answer costs {found.price:.1%} of a strong one",
    )
    page.warnings([f"Not a measurement of a verifier: {ASSUMPTION}."])
    drawing = figures.cascades(found)
    page.heading("Quality over cost")
    page.figure(
        drawing.svg,
        "Each line takes, at every budget, the thresholds that were best on the other half of the prompts. Diamonds "
        f"aim at {found.goal:.0%} of the strong model's quality (dashed).",
    )
    page.table(cascade_tables.HEAD, cascade_tables.rows(found.assumed))
    page.text(f"{cascade_tables.both_against_each(found.assumed)}.")
    page.heading("Where the verifier is worse")
    page.table(["AUC", *cascade_tables.NAMES, "ahead", "range"], cascade_tables.sensitivity(found))
    page.text(
        f"Cost, as a share of always-strong's, at which the mean quality reaches {found.goal:.0%} of the strong "
        "model's; and how much more of the quality gap both together recover than the better one of the two alone, "
        "over all budgets."
    )
    return report.write_page(page, [drawing], directory)
