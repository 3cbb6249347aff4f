"""Fit the heads that are shipped, and say what they are worth on each source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct

from extproc_router.encoder.head_file import HeadFile
from extproc_router.training import head_figures, heads, install, tagger
from extproc_router.training.data import Split, key
from extproc_router.training.head_figures import Figures
from extproc_router.training.ladder import Inputs, numbered, scale_of
from extproc_router.training.recipes import STRONG, WEAK
from extproc_router.training.rows import DIFFICULTY, DOMAIN, JAILBREAK, LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from extproc_router.learning.base import Floats, Index
    from extproc_router.training.embed import Embedder, Embeddings
    from extproc_router.training.ladder import Fitted
    from extproc_router.training.recipes import Recipe
    from extproc_router.training.rows import Row

_FPR: Final = 0.01
_QUIET: Final = 0.006  # what the jailbreak flag may raise of validation's negatives, most of which are look-alikes
_EVEN: Final = 0.5
_FEWEST: Final = 20  # rows of a source; fewer say nothing
_SETTINGS: Final = heads.Settings(penalties=(1e-3, 1e-4, 1e-5, 1e-6))
# Ranks better than the penalties that the log loss prefers, and is calibrated all the same.
_PAIR_SETTINGS: Final = heads.Settings(penalties=(1e-3,))
_THOUSAND: Final = 1000.0  # what the calibrating rows weigh together


class Report(Struct, frozen=True):
    """Figures of one source on one held-out split: validation, which calibrated, or test; `all`: every source."""

    split: Split
    source: str
    figures: Figures


class Shipped(Struct, frozen=True):
    """A fitted head: its file and what it is worth."""

    file: HeadFile
    reports: list[Report]


def fit(recipe: Recipe, rows: Sequence[Row], read: Embeddings) -> Shipped:
    """Fit one head: weights on training rows, everything else on validation rows, figures on both held-out splits.

    Args:
        recipe: what to fit.
        rows: n rows of all splits.
        read: of the n texts.
    """
    labels = [recipe.label(row) for row in rows]
    weights = _weights(recipe, rows, labels)
    kept = np.flatnonzero(weights > 0)
    scale = scale_of(read.surface[kept]) if "surface" in recipe.inputs else None
    everything = Inputs(
        tiers=tuple(read.inputs(tier, recipe.inputs, scale) for tier in range(len(read.means) + 1)),
        groups=_groups(rows),
        weights=np.maximum(weights, np.finfo(float).tiny),
        held_out=np.array([row.split is Split.VALIDATION for row in rows]),
    )
    fitted = _fit(recipe, everything.take(kept), [labels[place] for place in kept])
    known = [place for place, label in enumerate(labels) if label is not None]

    def of(places: Index) -> Figures:
        return _figures(recipe, fitted, everything.take(places), [labels[place] for place in places])

    reports = _reports(rows, known, of)
    models = (STRONG, WEAK) if recipe.name == DIFFICULTY else None
    file = install.head_file(
        fitted, inputs=recipe.inputs, surface=scale, models=models, enabled=recipe.enabled, card=_card(recipe, reports)
    )
    return Shipped(file, reports)


def fit_pii(rows: Sequence[Row], embedder: Embedder, seed: int) -> Shipped:
    """Fit the tagger, and say how many texts without personal data it leaves alone.

    Args:
        rows: of all splits; those whose spans are known are used.
        embedder: reads their tokens.
        seed: of the sample of tokens.
    """
    known = [row for row in rows if row.spans is not None]
    states = embedder.token_states([row.text for row in known])
    pages = [
        tagger.page_of(row.text, state, [(span.start, span.end, span.type) for span in row.spans or ()])
        for row, state in zip(known, states, strict=True)
    ]
    used = [place for place, row in enumerate(known) if row.split is not Split.TEST]
    fitted = tagger.fit_spans(
        [pages[place] for place in used],
        _groups([known[place] for place in used]),
        settings=heads.Settings(penalties=(1e-4, 1e-5, 1e-6), seed=seed),
        held_out=np.array([known[place].split is Split.VALIDATION for place in used]),
        effort=tagger.Effort(tokens=60_000, iterations=120),
    )
    reports = _reports(
        known, range(len(known)), lambda places: head_figures.of_spans(fitted, [pages[place] for place in places])
    )
    file = install.head_file(
        fitted, inputs=("token", "shape"), surface=None, models=None, card={"figures": _brief(reports)}
    )
    return Shipped(file, reports)


def _fit(recipe: Recipe, inputs: Inputs, labels: Sequence[Any]) -> Fitted:
    if recipe.name == DOMAIN:
        truth = np.array([LABELS.index(label) for label in labels], np.intp)
        return heads.fit_choice(inputs, truth, LABELS, settings=_SETTINGS)
    if recipe.name == DIFFICULTY:
        strong, weak = np.array(labels, np.bool_).T
        return heads.fit_pair(inputs, strong, weak, settings=_PAIR_SETTINGS)
    positive = np.array(labels, np.bool_)
    if recipe.name == JAILBREAK:
        return heads.fit_flag(inputs, positive, recipe.name, fpr=_QUIET, settings=_SETTINGS)
    return heads.fit_flag(inputs, positive, recipe.name, threshold=_EVEN, settings=_SETTINGS)


def _figures(recipe: Recipe, fitted: Fitted, inputs: Inputs, labels: Sequence[Any]) -> Figures:
    if recipe.name == DOMAIN:
        return head_figures.of_choice(fitted, inputs, np.array([LABELS.index(label) for label in labels], np.intp))
    truth = np.array(labels, np.bool_)
    if recipe.name == DIFFICULTY:
        return head_figures.of_pair(fitted, inputs, truth)
    return head_figures.of_flag(fitted, inputs, truth, _FPR)


def _reports(rows: Sequence[Row], known: Sequence[int] | range, of: Callable[[Index], Figures]) -> list[Report]:
    reports = []
    for split in (Split.VALIDATION, Split.TEST):
        places: dict[str, list[int]] = {}
        for place in known:
            if rows[place].split is split:
                places.setdefault(rows[place].source, []).append(place)
        groups = dict(sorted(places.items())) | {"all": [place for some in places.values() for place in some]}
        reports += [
            Report(split, source, of(np.array(found, np.intp)))
            for source, found in groups.items()
            if len(found) >= _FEWEST
        ]
    return reports


def _card(recipe: Recipe, reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "training_weights": dict(recipe.weights),
        "calibration_shares": dict(recipe.calibration),
        "figures": _brief(reports),
    }


def _brief(reports: Sequence[Report]) -> dict[str, Mapping[str, float | int | None]]:
    return {f"{report.split.value}, {report.source}": report.figures for report in reports}


def _weights(recipe: Recipe, rows: Sequence[Row], labels: Sequence[object]) -> Floats:
    """What each row counts: 0 on the test split, without a label, or where the recipe leaves its source out."""
    known = np.array([label is not None for label in labels])
    sources = np.array([row.source for row in rows])
    training = np.array([row.split is Split.TRAIN for row in rows]) & known
    judging = np.array([row.split is Split.VALIDATION for row in rows]) & known
    weights: Floats = np.where(training, [recipe.weight(source) for source in sources.tolist()], 0.0)
    for source in set(sources[judging].tolist()):
        same = judging & (sources == source)
        weights[same] = recipe.share(source) * _THOUSAND / same.sum()
    return weights


def _groups(rows: Sequence[Row]) -> Index:
    return numbered(row.group or key(row.text) for row in rows)
