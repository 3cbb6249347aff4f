from __future__ import annotations

import numpy as np
import pytest

from extproc_router import surface
from extproc_router.learning.base import Features, Floats, Outcomes
from extproc_router.learning.strategies.factorisation import Factorisation
from extproc_router.training.experiments import new_model
from extproc_router.training.experiments.new_model import Design, Placed

STRATEGY = Factorisation(rank=3, landmarks=30)


def area(score: Floats, gain: Floats) -> float:
    """APGR of scores without ties."""
    return float(np.cumsum(gain[np.argsort(-score)]).sum() / len(gain) / gain.sum())


def world(rows: int = 400, models: int = 6) -> tuple[Outcomes, Features]:
    """Models of rising strength; odd ones are strong on one half of the space, even ones on the other."""
    random = np.random.default_rng(0)
    side = np.where(random.random(rows) < 0.5, 1.0, -1.0)
    embeddings = np.stack([side, np.ones(rows)], axis=1) + random.normal(0, 0.1, (rows, 2))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    level = np.linspace(0.3, 0.7, models)
    chance = level + 0.25 * side[:, None] * np.where(np.arange(models) % 2, 1.0, -1.0)
    quality = (random.random((rows, models)) < chance).astype(np.float64)
    quality[random.random((rows, models)) < 0.05] = np.nan
    features = Features(embeddings.astype(np.float32), np.ones((rows, 1)), np.zeros((rows, surface.SIZE)))
    return Outcomes(tuple(f"m{number}" for number in range(models)), quality, np.arange(rows, dtype=np.intp)), features


def test_labels_bring_a_left_out_model_close_to_all_data() -> None:
    outcomes, features = world()
    told: list[None] = []
    design = Design(clusters=4, labels=(0, 10), draws=2)
    placed = new_model.run(outcomes, features, STRATEGY, design, apgr=area, after_each=lambda: told.append(None))
    assert [entry.model for entry in placed] == list(outcomes.models)
    assert len(told) == 6
    for entry in placed:
        assert 1 <= entry.pairs <= 5
        assert len(entry.placed[0]) == 1
        assert len(entry.placed[10]) == 2
    (_, blind, _, _, _), (_, informed, _, _, count) = new_model.summarise(placed, 0.03)
    assert count == 6
    assert informed > blind
    assert informed > -0.05
    assert np.mean([entry.everything - entry.full for entry in placed]) > -0.03


def test_the_same_seed_gives_the_same_figures() -> None:
    outcomes, features = world(200, 4)
    design = Design(clusters=3, labels=(2,), draws=1)
    first, second = (
        new_model.run(outcomes, features, STRATEGY, design, apgr=area, after_each=lambda: None) for _ in range(2)
    )
    assert first == second


def test_the_summary_averages_draws_then_models() -> None:
    placed = [
        Placed("a", 3, 0.6, {5: (0.58, 0.60)}, 0.6),
        Placed("b", 3, 0.7, {5: (0.60, 0.62)}, 0.7),
    ]
    [(labels, mean, least, within, count)] = new_model.summarise(placed, 0.03)
    assert (labels, within, count) == (5, 1, 2)
    assert mean == pytest.approx((-0.01 - 0.09) / 2)
    assert least == pytest.approx(-0.09)


def test_without_models_there_is_nothing_to_sum_up() -> None:
    assert new_model.summarise([], 0.03) == []
