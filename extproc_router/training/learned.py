"""Fit a strategy to outcomes, measure it out of fold and write it; or place new models in one that is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.learning import artefact, crossfit, placing
from extproc_router.learning.base import Features, Floats
from extproc_router.learning.manifest import Data
from extproc_router.learning.strategies import STRATEGIES, Settings
from extproc_router.learning.strategies.factorisation import FittedFactorisation
from extproc_router.training.outcomes import Reader, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from extproc_router.learning.artefact import Learnt
    from extproc_router.learning.base import Index, Outcomes
    from extproc_router.learning.manifest import Manifest

Apgr: TypeAlias = Callable[[Floats, Floats], float]
"""(score, gain of the strong model), float64 [n] each -> APGR; NaN where the strong model gains nothing."""

_DIGITS = 4  # of metrics
_PAIR = 2


class Sample(Struct, frozen=True):
    """An outcomes file, read.

    Attributes:
        prompts: n texts.
        models: m names.
        scores: float64 [n, m], NaN where a model was not tried.
        features: of the prompts.
        reader: what gave them.
        sha256: of the file.
    """

    prompts: tuple[str, ...]
    models: tuple[str, ...]
    scores: Floats
    features: Features
    reader: Reader
    sha256: str


def settings_of(strategy: str, assignments: Sequence[str]) -> Settings:
    """Read settings written as `name=value`, the value in JSON; `members.mf.rank=4` reaches into the ensemble's.

    Raises:
        StartupError: an assignment is not of that form, names no setting, or its value is out of range.
    """
    written: dict[str, Any] = {}
    for assignment in assignments:
        name, found, value = assignment.partition("=")
        *path, last = name.split(".")
        place: Any = written
        try:
            for part in path:
                place = place.setdefault(part, {})
            place[last] = msgspec.json.decode(value)
        except (msgspec.DecodeError, AttributeError, TypeError) as error:
            raise StartupError(
                f"{assignment}: expected NAME=VALUE" if not found else f"{assignment}: {error}"
            ) from error
    try:
        return msgspec.convert(written, STRATEGIES[strategy])
    except msgspec.ValidationError as error:
        raise StartupError(f"settings of {strategy}: {error}") from error


def pair_of(models: tuple[str, ...], means: Floats, weak: str | None, strong: str | None) -> tuple[str, str] | None:
    """The pair to score, (weak, strong): as named; of two models the better is strong; None among more.

    Raises:
        StartupError: a name is unknown, only one is given, or they are the same.
    """
    if weak is None and strong is None:
        if len(models) != _PAIR:
            return None
        first, second = models
        return (first, second) if means[0] <= means[1] else (second, first)
    if weak is None or strong is None or weak == strong:
        raise StartupError("a pair has two models: name the weak and the strong one")
    unknown = [name for name in (weak, strong) if name not in models]
    if unknown:
        raise StartupError(f"no outcomes of {', '.join(unknown)}; there are some of {', '.join(models)}")
    return weak, strong


def fit(
    sample: Sample,
    *,
    strategy: str,
    settings: Settings,
    weak: str | None,
    strong: str | None,
    scale: tuple[float, float],
    folds: int,
    seed: int,
    out: Path,
    apgr: Apgr,
    after_fold: Callable[[], None],
) -> Manifest:
    """Measure out of fold, fit on everything, write.

    Args:
        sample: what to learn from.
        strategy: its name.
        settings: its settings.
        weak: the cheap model of the pair, or None.
        strong: the dear one, or None.
        scale: scores that are quality 0 and 1.
        folds: of the measurement; 0 leaves it out.
        seed: of every choice.
        out: directory of the artefact.
        apgr: how routing is measured.
        after_fold: is called after each fold.

    Raises:
        StartupError: the sample does not teach what was asked.
        ArtefactError: the artefact cannot be written.
    """
    if len(sample.models) < _PAIR:
        raise StartupError("outcomes of one model alone do not teach which one to choose")
    low, high = scale
    outcomes = prepare(sample.prompts, sample.models, sample.scores, low=low, high=high)
    pair = pair_of(outcomes.models, outcomes.means(), weak, strong)
    metrics: dict[str, Any] = {}
    if folds:
        fold = crossfit.deal(outcomes.groups, folds, seed)
        quality = crossfit.out_of_fold(
            settings, outcomes, sample.features, folds=folds, seed=seed, after_each=after_fold
        )
        metrics = {"folds": folds, **measure(outcomes, quality, fold, pair, apgr)}
    return artefact.save(
        out,
        settings.fit(outcomes, sample.features, seed),
        strategy=strategy,
        settings=msgspec.to_builtins(settings),
        pair=pair,
        features=sample.reader.version,
        encoder=sample.reader.name,
        data=Data(sample.sha256, len(outcomes), low, high),
        seed=seed,
        metrics=metrics,
    )


def extend(sample: Sample, known: Learnt, *, weak: str | None, strong: str | None, seed: int, out: Path) -> Manifest:
    """Place the sample's new models in a factorisation, each by its own vector alone, and write the result.

    Args:
        sample: labels of the new models; models that are known already are left as they are.
        known: the factorisation.
        weak: the cheap model of the new artefact's pair; with `strong` None, the pair stays.
        strong: the dear one.
        seed: noted; nothing is drawn.
        out: directory of the new artefact.

    Raises:
        StartupError: it is no factorisation, the sample has no new model, or scores off its scale.
        ArtefactError: the artefact cannot be written.
    """
    fitted = known.fitted
    if not isinstance(fitted, FittedFactorisation):
        raise StartupError(f"{known.manifest.strategy} {known.manifest.version}: only mf can be extended")
    new = [model for model in sample.models if model not in fitted.models]
    if not new:
        raise StartupError(f"mf {known.manifest.version} knows every model of the data already")
    low, high = known.manifest.data.low, known.manifest.data.high
    labels: dict[str, int] = {}
    for model in new:
        scores = sample.scores[:, sample.models.index(model)]
        rows = np.flatnonzero(np.isfinite(scores))
        answers = (scores[rows] - low) / (high - low)
        if answers.min() < 0 or answers.max() > 1:
            raise StartupError(
                f"{model}: a score outside [{low:g}, {high:g}], the scale of mf {known.manifest.version}"
            )
        fitted = placing.place(fitted, model, sample.features.take(rows), answers)
        labels[model] = len(rows)
    pair = pair_of(fitted.models, fitted.biases, weak, strong) if weak or strong else None
    if pair is None and known.manifest.weak is not None and known.manifest.strong is not None:
        pair = known.manifest.weak, known.manifest.strong
    return artefact.save(
        out,
        fitted,
        strategy=known.manifest.strategy,
        settings=known.manifest.settings,
        pair=pair,
        features=sample.reader.version,
        encoder=sample.reader.name,
        data=Data(sample.sha256, len(sample.prompts), low, high),
        seed=seed,
        metrics={"extends": known.manifest.version, "labels": labels},
    )


def measure(
    outcomes: Outcomes, quality: Floats, fold: Index, pair: tuple[str, str] | None, apgr: Apgr
) -> dict[str, Any]:
    """Figures of out-of-fold predictions, float64 [n, m], rounded: the Brier score, and how well they route.

    A pair is ranked by `crossfit.need`, in which every fold has the same mean; the Brier score is of the predictions.

    Among many models each prompt goes to the best predicted one; rows on which that one was not tried do not count.
    """
    figures: dict[str, Any] = {"brier": _round(np.nanmean((quality - outcomes.quality) ** 2))}
    if pair:
        weak, strong = (outcomes.models.index(name) for name in pair)
        gain = outcomes.quality[:, strong] - outcomes.quality[:, weak]
        both = np.isfinite(gain)
        reached = apgr(crossfit.need(quality, fold, strong, weak)[both], gain[both]) if both.any() else np.nan
        return {**figures, "rows": int(both.sum()), "apgr": None if np.isnan(reached) else _round(reached)}
    routed = np.take_along_axis(outcomes.quality, quality.argmax(axis=1)[:, None], axis=1)[:, 0]
    tried = np.isfinite(routed)
    return {
        **figures,
        "rows": int(tried.sum()),
        "routed": _round(routed[tried].mean()) if tried.any() else None,
        "best_single": _round(np.nanmean(outcomes.quality, axis=0).max()),
    }


def _round(value: float | np.floating[Any]) -> float:
    return round(float(value), _DIGITS)
