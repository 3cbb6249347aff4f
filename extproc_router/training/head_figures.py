"""What a fitted head is worth on rows that it has not seen; shares in [0, 1], four digits, None where unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from extproc_router.learning import frontier, spans
from extproc_router.training import metrics, tagger
from extproc_router.training.ladder import win_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.learning.base import Flags, Floats, Index
    from extproc_router.training.ladder import Fitted, Inputs
    from extproc_router.training.tagger import Page

Figures: TypeAlias = dict[str, float | int | None]


def of_choice(head: Fitted, rows: Inputs, truth: Index) -> Figures:
    """Say how often the label is right, and how sure it is; `truth` intp [n], an index into the labels."""
    whole, _ = head.read(rows.tiers, early=False)
    probs, tiers = head.read(rows.tiers)
    coverage, precision = metrics.above(truth, whole, head.confidence_floor)
    return {
        "rows judged": len(truth),
        "accuracy": _round(metrics.accuracy(truth, whole)),
        "always the commonest label": _round(np.bincount(truth).max() / len(truth)),
        "macro-F1": _round(metrics.macro_f1(truth, whole)),
        "ECE": _round(metrics.expected_calibration_error(truth, whole)),
        "confidence floor": head.confidence_floor,
        "coverage": _round(coverage),
        "precision": _round(precision),
        "accuracy with tiers": _round(metrics.accuracy(truth, probs)),
        **_by_tier(tiers, len(head.rungs), probs.argmax(axis=1) == whole.argmax(axis=1)),
    }


def of_flag(head: Fitted, rows: Inputs, truth: Flags, fpr: float) -> Figures:
    """Say how well yes and no are told apart, and what the shipped threshold does; `truth` bool [n]."""
    whole, _ = head.read(rows.tiers, early=False)
    probs, tiers = head.read(rows.tiers)
    raised, early = (p[:, 1] >= (head.threshold or 0.0) for p in (whole, probs))
    some = truth.any() and not truth.all()
    return {
        "rows judged": len(truth),
        "yes": int(truth.sum()),
        "AUC": _round(metrics.auc(truth, whole[:, 1])),
        f"recall at FPR {fpr:g}": _round(metrics.recall_at(truth, whole[:, 1], fpr)) if some else None,
        "ECE": _round(metrics.expected_calibration_error(truth.astype(np.intp), whole)),
        "threshold": head.threshold,
        "recall at the threshold": _share(raised[truth]),
        "false positives at the threshold": _share(raised[~truth]),
        **_by_tier(tiers, len(head.rungs), early == raised),
    }


def of_pair(head: Fitted, rows: Inputs, truth: Flags) -> Figures:
    """Say how well the two models' answers are foretold; `truth` bool [n, 2], whether strong and weak are right."""
    whole, _ = head.read(rows.tiers, early=False)
    probs, tiers = head.read(rows.tiers)
    strong, weak = whole[:, 0] + whole[:, 1], whole[:, 0] + whole[:, 2]
    apart = truth[:, 0] != truth[:, 1]
    return {
        "rows judged": len(truth),
        "APGR": _round(frontier.apgr_of(win_rate(whole), truth[:, 0].astype(np.float64) - truth[:, 1])),
        "AUC, strong right": _round(metrics.auc(truth[:, 0], strong)),
        "AUC, weak right": _round(metrics.auc(truth[:, 1], weak)),
        "AUC, strong better": _round(metrics.auc(truth[apart, 0], win_rate(whole)[apart])),
        "ECE, strong right": _round(_ece(truth[:, 0], strong)),
        "ECE, weak right": _round(_ece(truth[:, 1], weak)),
        "score moved by tiers": _round(np.abs(win_rate(probs) - win_rate(whole)).mean()),
        **_by_tier(tiers, len(head.rungs)),
    }


def of_spans(head: Fitted, pages: Sequence[Page]) -> Figures:
    """Say how many spans are found exactly."""
    truth = [page.truth for page in pages]
    whole = [tagger.found(head, page, early=False) for page in pages]
    early = [tagger.found(head, page) for page in pages]
    counts = np.array([spans.tally(*pair) for pair in zip(truth, (keys for keys, _ in whole), strict=True)])
    precision, recall, f1 = spans.scores(counts.sum(axis=0).astype(np.float64))
    same = np.array([one == two for (one, _), (two, _) in zip(early, whole, strict=True)])
    blind = [[spans.blind(keys) for keys in side] for side in (truth, [keys for keys, _ in whole])]
    return {
        "rows judged": len(pages),
        "spans": int(counts[:, spans.TRUE].sum()),
        "F1": _round(float(f1)),
        "precision": _round(float(precision)),
        "recall": _round(float(recall)),
        "F1 whatever the type": _round(spans.f1(*blind)),
        "F1 with tiers": _round(spans.f1(truth, [keys for keys, _ in early])),
        **_by_tier(np.array([tier for _, tier in early]), len(head.rungs), same),
    }


def _by_tier(tiers: Index, count: int, same: Flags | None = None) -> Figures:
    shares: Figures = {f"answered by tier {tier}": _round((tiers == tier).mean()) for tier in range(count)}
    if same is not None and (tiers < count - 1).any():
        shares["agreement of early tiers"] = _share(same[tiers < count - 1])
    return shares


def _ece(truth: Flags, p: Floats) -> float:
    return metrics.expected_calibration_error(truth.astype(np.intp), np.stack([1 - p, p], axis=1))


def _share(flags: Flags) -> float | None:
    return _round(flags.mean()) if len(flags) else None


def _round(value: float | np.floating) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
