"""What was found of cascades, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.evaluation.cascade_simulation import ASSUMPTION
from extproc_router.evaluation.cascades import BOTH, CASCADE, ROUTING
from extproc_router.evaluation.tables import interval, number, table

if TYPE_CHECKING:
    from extproc_router.evaluation.cascade_calibrate import CascadeCalibration
    from extproc_router.evaluation.cascades import Cascades, Figure, Sensitivity

HEAD = ("", "quality", "/ strong's", "range", "cost", "range", "strong", "escalated", "recovered", "reaches")
"""Of the table of operations."""
NAMES = (ROUTING, CASCADE, BOTH)
"""What has a threshold."""


def calibration(fitted: CascadeCalibration) -> str:
    """Write what to accept, the weights, and what to expect."""
    found = fitted.calibration
    rows = [
        [name, number(here, 3), interval(there, 3)]
        for name, here, there in (
            ("share of escalations", found.sample.share, found.expected.share),
            ("quality / strong's", found.sample.quality, found.expected.quality),
            ("saved / always-strong", found.sample.savings, found.expected.savings),
        )
        if here is not None
    ]
    parts = [
        f"accept_at {fitted.accept_at!r}  (an answer with P(good) below it is escalated; that costs both models)",
        table(["", f"{found.n:,} rows here", f"expected, {found.requests:,} new requests"], rows),
        f"95 % ranges, {found.rounds:,} rounds, seed {found.seed}; by the sample's size alone: +-{found.margin:.3f}",
        table(["verifier.weights", "value"], [[name, f"{value:g}"] for name, value in fitted.weights.items()]),
        f"AUC out of fold: {fitted.auc:.3f}; {fitted.hard:.1%} have a hard sign, and are escalated anyhow",
    ]
    if found.rounds < found.rounds_asked:
        parts.append(f"warning: interrupted after {found.rounds} of {found.rounds_asked} rounds")
    return "\n\n".join(parts)


def cascades(found: Cascades) -> str:
    """Write the comparison: under the assumption, and where the verifier is worse."""
    described = (
        f"{found.n:,} rows: weak {found.weak}, strong {found.strong}; a weak answer costs {found.price:.1%} of a "
        f"strong one; prediction by {found.predictor}"
    )
    explained = (
        f"means over {found.rounds:,} rounds with the range of 95 % of them, seed {found.seed}. Each round draws the "
        f"confidence, picks thresholds for {found.goal:.0%} of strong's quality on one half of the prompts and "
        "measures on the other.\ncost: share of always-strong's; an escalation pays for both models. recovered: mean "
        "share of the quality gap over all budgets between the two models' costs (as APGR, over cost). reaches: least "
        "cost at which the mean quality reaches the goal. ahead: what cascade + prediction recovers more than the "
        "better one of the two alone"
    )
    parts = [
        described,
        f"NOTE: {ASSUMPTION}: an AUC of {found.assumed.auc:.2f}",
        table(HEAD, rows(found.assumed)),
        both_against_each(found.assumed),
        f"where the verifier is worse; cost at which {found.goal:.0%} of strong's quality is reached",
        table(["AUC", *NAMES, "ahead", "range"], sensitivity(found)),
        explained,
    ]
    return "\n\n".join(parts)


def rows(found: Sensitivity) -> list[list[str]]:
    """Return a row for each way to operate, under `HEAD`."""
    return [
        [
            name,
            number(row.quality.mean, 4),
            number(row.relative.mean, 4),
            _range(row.relative, 3),
            number(row.cost.mean, 3),
            _range(row.cost, 3),
            f"{row.strong.mean:.1%}",
            f"{row.escalated.mean:.1%}",
            number(None if row.recovered is None else row.recovered.mean, 3),
            number(row.reaches, 3),
        ]
        for name, row in found.operations.items()
    ]


def sensitivity(found: Cascades) -> list[list[str]]:
    """Return a row for each AUC: where each way reaches the goal, and how far ahead both together are."""
    return [
        [
            f"{at.auc:.2f}",
            *(number(at.operations[name].reaches, 3) for name in NAMES),
            number(None if at.ahead is None else at.ahead.mean, 3),
            _range(at.ahead, 3),
        ]
        for at in (*found.sensitivity, found.assumed)
    ]


def both_against_each(found: Sensitivity) -> str:
    """Say whether both together beat each alone."""
    if found.ahead is None:
        return "there is no gap between the models: nothing to recover"
    told = f"{found.ahead.mean:+.3f} ({_range(found.ahead, 3)})"
    if found.ahead.low > 0:
        return f"{BOTH} recovers more of the gap than either alone: {told}"
    return f"{BOTH} cannot be told from the better one of the two alone: {told}"


def _range(figure: Figure | None, digits: int) -> str:
    return interval(None if figure is None else (figure.low, figure.high), digits)
