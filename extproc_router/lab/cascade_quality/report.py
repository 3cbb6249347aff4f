"""What was found, as a table, as targets, and as a plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.evaluation import figures
from extproc_router.evaluation.tables import table
from extproc_router.lab import targets
from extproc_router.lab.cascade_quality.picking import BOTH
from extproc_router.lab.targets import Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from extproc_router.lab.cascade_quality.policies import Policy
    from extproc_router.lab.cascade_quality.study import Findings, Measured, Range

ASSUMPTION = (
    "NOTE: whether an answer is good is known from the outcomes; how sure the model is of it, its log-probabilities, "
    "is simulated (lab/simulation/quality.py)"
)
QUALITY_TARGET, COST_TARGET = 0.98, 0.5
_PLOT = "cascade-quality.png"
_PNG_DPI = 144


def text(found: Findings) -> str:
    """Write everything for a terminal."""
    head = ["", "thresholds", "good", "/ strong's", "range", "cost", "range", "strong", "escalated"]
    rows = [
        [
            row.name,
            _thresholds(row.policy),
            f"{row.quality:.1%}",
            f"{row.relative.value:.3f}",
            _range(row.relative),
            f"{row.cost.value:.3f}",
            _range(row.cost),
            f"{row.strong:.1%}",
            f"{row.escalated:.1%}",
        ]
        for row in found.policies
    ]
    leads = [
        f"{BOTH} beside {lead.over} alone: {lead.told}; quality {lead.quality.value:+.3f} ({_range(lead.quality)}), "
        f"cost {lead.cost.value:+.3f} ({_range(lead.cost)})"
        for lead in found.leads
    ]
    parts = [
        f"weights and thresholds from {found.picked:,} prompts, for {found.budget:.0%} of what strong alone costs",
        f"measured on {found.measured:,} others; the encoder was not trained on a question of either",
        f"{ASSUMPTION}; the verifier's AUC with it: {found.auc:.2f}",
        "",
        table(head, rows),
        "",
        "cost: share of always-strong's, both attempts counted; ranges: 95 % of the bootstrap over prompts",
        *leads,
        "",
        targets.table(wanted(found)),
    ]
    return "\n".join(parts)


def wanted(found: Findings) -> Sequence[Target]:
    """Compare with what the project wants of cascade and prediction together."""
    both = _both(found)
    return (
        Target(f"{BOTH}: quality to always strong's", QUALITY_TARGET, both.relative.value, "x", at_least=True),
        Target(f"{BOTH}: cost to always strong's", COST_TARGET, both.cost.value, "x"),
    )


def plot(found: Findings, directory: Path) -> Path:
    """Draw quality over cost into a PNG; returns its path.

    Raises:
        StartupError: matplotlib is not installed.
        OSError: the directory cannot be written to.
    """
    figures.check()
    from matplotlib.figure import Figure  # noqa: PLC0415 - optional

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for row in found.policies:
        x, y = row.cost, row.relative
        axes.errorbar(x.value, y.value, xerr=_bars(x), yerr=_bars(y), fmt="o", capsize=3, label=row.name)
    axes.axhline(QUALITY_TARGET, color="grey", linestyle="--", linewidth=1)
    axes.axvline(COST_TARGET, color="grey", linestyle="--", linewidth=1)
    axes.set_xlabel("cost, as a share of always strong's")
    axes.set_ylabel("good answers, as a share of always strong's")
    axes.set_title(f"{found.measured:,} prompts through the real stack; bars: 95 %; dashed: the target")
    axes.legend(loc="lower right")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / _PLOT
    figure.savefig(path, dpi=_PNG_DPI)
    return path


def _both(found: Findings) -> Measured:
    return next(row for row in found.policies if row.name == BOTH)


def _bars(value: Range) -> list[list[float]]:
    """How far the range reaches below and above; a bootstrap's may lie to one side."""
    return [[max(0.0, value.value - value.low)], [max(0.0, value.high - value.value)]]


def _thresholds(policy: Policy) -> str:
    parts = []
    if policy.direct_from is not None:
        parts.append(f"direct from {policy.direct_from:.3f}")
    if policy.accept_at is not None:
        parts.append(f"accept at {policy.accept_at:.3f}")
    return ", ".join(parts) or "-"


def _range(value: Range) -> str:
    return f"{value.low:.3f} .. {value.high:.3f}"
