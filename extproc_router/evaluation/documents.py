"""Findings as one JSON object, for `--json`.

Figures are rounded to 12 significant digits: the rest is noise of the machine. A threshold is not: rows stand on it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.evaluation.cautions import cautions, many_cautions

if TYPE_CHECKING:
    from extproc_router.evaluation.calibrate import Calibration
    from extproc_router.evaluation.drift import Drift
    from extproc_router.evaluation.findings import Fixed, Model, Ranked, Routing
    from extproc_router.evaluation.heads import HeadFindings
    from extproc_router.evaluation.many import ManyRouting
    from extproc_router.evaluation.spans import SpanFindings

_DIGITS = 12
_NOISE = 1e-15  # what is left where sums of numbers near one cancel
_EXACT = ("threshold", "accept_at")
_LEFT_OUT = ("band",)


def dump(document: object) -> str:
    """Write a document; the same findings give the same bytes."""
    return json.dumps(rounded(document), ensure_ascii=False, allow_nan=False)


def rounded(value: object) -> object:
    """Round every number in plain data."""
    if isinstance(value, float):
        return 0.0 if abs(value) <= _NOISE else float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {
            key: item if key in _EXACT and isinstance(item, float) else rounded(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def routing(found: Routing) -> dict[str, Any]:
    """Describe the evaluation of a pair; CPT in percent, shares and APGR as fractions."""
    return {
        "n": found.n,
        "weak": _model(found.weak),
        "strong": _model(found.strong),
        "gap": {"quality": found.gap, "interval": found.gap_interval},
        "oracle": {
            "quality": found.oracle_quality,
            "headroom": found.headroom,
            "headroom_interval": found.headroom_interval,
        },
        "strategies": {
            **{name: _ranked(ranked) for name, ranked in found.strategies.items()},
            **{name: _fixed(fixed) for name, fixed in found.fixed.items()},
        },
        "groups": msgspec.to_builtins(found.groups),
        "bootstrap": {
            "rounds": found.rounds,
            "asked": found.rounds_asked,
            "seed": found.seed,
            "draws": "rows" if found.exact_rounds else "packets of rows",
        },
        "warnings": cautions(found),
    }


def many(found: ManyRouting) -> dict[str, Any]:
    """Describe the evaluation of many models; frontiers are (mean cost, quality)."""
    return {
        "n": found.n,
        "models": {model.name: _model(model) for model in found.models},
        "random": {"quality": found.random},
        "oracle": {
            "quality": found.oracle_quality,
            "headroom": found.headroom,
            "headroom_interval": found.headroom_interval,
        },
        "strategies": msgspec.to_builtins(dict(found.strategies)),
        "bootstrap": {"rounds": found.rounds, "asked": found.rounds_asked, "seed": found.seed},
        "warnings": many_cautions(found),
    }


def heads(found: HeadFindings) -> dict[str, Any]:
    """Describe the evaluation of a head."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    return document


def spans(found: SpanFindings) -> dict[str, Any]:
    """Describe the evaluation of a head that finds spans."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    return document


def calibration(found: Calibration) -> dict[str, Any]:
    """Describe a threshold."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    return document


def drift(found: Drift) -> dict[str, Any]:
    """Describe a comparison."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    return document


def _model(model: Model) -> dict[str, Any]:
    return {"model": model.name, "quality": model.quality, "interval": model.interval, "cost": model.cost}


def _ranked(ranked: Ranked) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(ranked)
    return {name: value for name, value in document.items() if name not in _LEFT_OUT}


def _fixed(fixed: Fixed) -> dict[str, Any]:
    """Give a point the members that every strategy has; a point has no area and crosses no level."""
    document: dict[str, Any] = msgspec.to_builtins(fixed)
    return {
        **dict.fromkeys(("apgr", "apgr_interval", "cpt50", "cpt80", "oracle_gap", "auc")),
        "frontier": [[fixed.point.share, fixed.point.quality]],
        **document,
    }
