from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from extproc_router import surface
from extproc_router.errors import StartupError
from extproc_router.learning import artefact
from extproc_router.learning.base import Features, Outcomes
from extproc_router.learning.manifest import Data
from extproc_router.learning.strategies import STRATEGIES
from extproc_router.learning.strategies.ensemble import Ensemble
from extproc_router.learning.strategies.factorisation import Factorisation
from extproc_router.training import learned
from extproc_router.training.learned import Sample
from extproc_router.training.outcomes import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.learning.base import Floats
    from extproc_router.learning.manifest import Manifest

READER_VERSION = "0123456789ab"
ROWS = 120


def sample_of(tmp_path: Path, models: tuple[str, ...] = ("small", "large"), seed: int = 0) -> Sample:
    """Half of the prompts are hard: `small` fails them, everyone else fails a few."""
    random = np.random.default_rng(seed)
    hard = random.random(ROWS) < 0.5
    embeddings = np.where(hard[:, None], [1.0, 0.0, 0.1], [0.0, 1.0, 0.1]) + random.normal(0, 0.05, (ROWS, 3))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    scores = np.stack(
        [~hard if name.startswith("small") else random.random(ROWS) < 0.9 for name in models], axis=1
    ).astype(np.float64)
    features = Features(embeddings.astype(np.float32), np.ones((ROWS, 1)), np.zeros((ROWS, surface.SIZE)))
    prompts = tuple(f"prompt {number}" for number in range(ROWS))
    return Sample(prompts, models, scores, features, Reader(tmp_path, READER_VERSION, "tiny 1"), "f" * 64)


def half(score: Floats, gain: Floats) -> float:
    """Stands in for APGR: gain of the upper half over the whole gain."""
    return float(gain[score >= np.median(score)].sum() / gain.sum())


def fit(sample: Sample, out: Path, **changes: Any) -> Manifest:
    arguments: dict[str, Any] = {
        "strategy": "mf",
        "settings": Factorisation(landmarks=20),
        "weak": None,
        "strong": None,
        "scale": (0.0, 1.0),
        "folds": 3,
        "seed": 0,
        "out": out,
        "apgr": half,
        "after_fold": lambda: None,
    }
    return learned.fit(sample, **(arguments | changes))


def test_fits_measures_and_writes(tmp_path: Path) -> None:
    sample = sample_of(tmp_path)
    folds: list[None] = []
    manifest = fit(sample, tmp_path / "out", after_fold=lambda: folds.append(None))
    learnt = artefact.load(tmp_path / "out", features=READER_VERSION)
    assert learnt.manifest == manifest
    assert (manifest.weak, manifest.strong) == ("small", "large")
    assert manifest.data == Data("f" * 64, ROWS, 0.0, 1.0)
    assert manifest.metrics["apgr"] > 0.9
    assert len(folds) == 3
    score = learnt.score(sample.features)
    assert score[sample.scores[:, 0] == 0].min() > score[sample.scores[:, 0] == 1].max()


def test_without_folds_nothing_is_measured(tmp_path: Path) -> None:
    assert fit(sample_of(tmp_path), tmp_path / "out", folds=0).metrics == {}


def test_many_models_need_no_pair(tmp_path: Path) -> None:
    manifest = fit(sample_of(tmp_path, ("small", "large", "small-2")), tmp_path / "out")
    assert (manifest.weak, manifest.strong) == (None, None)
    assert manifest.metrics["routed"] >= manifest.metrics["best_single"] - 0.05
    named = fit(sample_of(tmp_path, ("small", "large", "small-2")), tmp_path / "pair", weak="small-2", strong="large")
    assert (named.weak, named.strong) == ("small-2", "large")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"weak": "small"}, "two models"),
        ({"weak": "small", "strong": "small"}, "two models"),
        ({"weak": "small", "strong": "huge"}, "no outcomes of huge"),
        ({"scale": (0.0, 0.5)}, "do not lie"),
    ],
)
def test_what_the_sample_does_not_teach_is_refused(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(StartupError, match=why):
        fit(sample_of(tmp_path), tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_one_model_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="one model alone"):
        fit(sample_of(tmp_path, ("small",)), tmp_path / "out")


class TestExtend:
    def test_a_new_model_joins_and_the_others_stay(self, tmp_path: Path) -> None:
        fit(sample_of(tmp_path), tmp_path / "old")
        known = artefact.load(tmp_path / "old", features=READER_VERSION)
        labels = sample_of(tmp_path, ("large-2",), seed=4)
        few = msgspec.structs.replace(labels, scores=np.where(np.arange(ROWS)[:, None] < 20, labels.scores, np.nan))
        manifest = learned.extend(few, known, weak="small", strong="large-2", seed=0, out=tmp_path / "new")
        learnt = artefact.load(tmp_path / "new", features=READER_VERSION)
        assert manifest.models == ["small", "large", "large-2"]
        assert manifest.metrics == {"extends": known.manifest.version, "labels": {"large-2": 20}}
        assert (manifest.weak, manifest.strong) == ("small", "large-2")
        before, after = known.fitted.quality(labels.features), learnt.fitted.quality(labels.features)
        np.testing.assert_allclose(after[:, :2], before)
        assert after[:, 2].mean() > 0.6

    def test_the_pair_stays_where_none_is_named(self, tmp_path: Path) -> None:
        fit(sample_of(tmp_path), tmp_path / "old")
        known = artefact.load(tmp_path / "old", features=READER_VERSION)
        manifest = learned.extend(
            sample_of(tmp_path, ("large-2",)), known, weak=None, strong=None, seed=0, out=tmp_path / "new"
        )
        assert (manifest.weak, manifest.strong) == ("small", "large")

    def test_only_a_factorisation_and_only_new_models_on_its_scale(self, tmp_path: Path) -> None:
        fit(sample_of(tmp_path), tmp_path / "mf")
        fit(sample_of(tmp_path), tmp_path / "table", strategy="table", settings=STRATEGIES["table"]())
        mf, table = (artefact.load(tmp_path / name, features=READER_VERSION) for name in ("mf", "table"))
        new = sample_of(tmp_path, ("large-2",))
        for known, sample, why in (
            (table, new, "only mf"),
            (mf, sample_of(tmp_path), "knows every model"),
            (mf, msgspec.structs.replace(new, scores=new.scores * 7), "outside"),
        ):
            with pytest.raises(StartupError, match=why):
                learned.extend(sample, known, weak=None, strong=None, seed=0, out=tmp_path / "new")


def test_settings_are_read_by_path_and_checked() -> None:
    assert learned.settings_of("mf", ["rank=3", "penalty=0.5"]) == Factorisation(rank=3, penalty=0.5)
    ensemble = learned.settings_of("ensemble", ["members.mf.rank=2", "folds=4"])
    assert isinstance(ensemble, Ensemble)
    assert (ensemble.members.mf.rank, ensemble.folds) == (2, 4)


@pytest.mark.parametrize("assignment", ["rank", "rank=", "rank=0", "rank=x", "depth=3", "rank.a=1", "=1", "rank=1.5"])
def test_settings_that_do_not_exist_or_fit_are_refused(assignment: str) -> None:
    with pytest.raises(StartupError, match=r"rank|depth|settings"):
        learned.settings_of("mf", ["rank=3", assignment] if assignment == "rank.a=1" else [assignment])


def test_figures_of_many_models_leave_out_rows_where_the_choice_was_not_tried() -> None:
    quality = np.array([[1.0, 0.0, 0.5], [np.nan, 1.0, 0.0]])
    outcomes = Outcomes(("a", "b", "c"), quality, np.arange(2, dtype=np.intp))
    figures = learned.measure(
        outcomes, np.array([[0.9, 0.1, 0.1], [0.9, 0.1, 0.1]]), np.zeros(2, dtype=np.intp), None, half
    )
    assert figures["rows"] == 1
    assert figures["routed"] == 1.0
    assert figures["best_single"] == 1.0


def test_a_pair_that_was_never_tried_together_has_no_apgr() -> None:
    quality = np.tile([[1.0, np.nan], [np.nan, 1.0]], (5, 1))
    outcomes = Outcomes(("a", "b"), quality, np.arange(10, dtype=np.intp))
    figures = learned.measure(outcomes, np.full((10, 2), 0.5), np.zeros(10, dtype=np.intp), ("a", "b"), half)
    assert (figures["rows"], figures["apgr"]) == (0, None)


def test_a_pair_is_ranked_within_folds() -> None:
    # Right within each fold; the second fold is predicted too low as a whole.
    strong = np.tile([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], 2)
    outcomes = Outcomes(("a", "b"), np.stack([np.zeros(12), strong], axis=1), np.arange(12, dtype=np.intp))
    fold = np.repeat([0, 1], 6).astype(np.intp)
    predicted = np.stack([np.zeros(12), 0.5 + 0.1 * strong - 0.4 * fold], axis=1)
    assert learned.measure(outcomes, predicted, fold, ("a", "b"), half)["apgr"] == 1.0
