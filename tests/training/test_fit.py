from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from extproc_router.training import fit, metrics


def clouds(rows: int, noise: float, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Three clouds on the sphere in eight dimensions."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, rows)
    points = np.eye(8)[truth] + noise * generator.normal(size=(rows, 8))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32), truth


def test_clouds_are_told_apart() -> None:
    embeddings, truth = clouds(600, 0.2)
    linear = fit.fit_linear(embeddings[:400], truth[:400], labels=3)
    assert metrics.accuracy(truth[400:], fit.softmax(linear.logits(embeddings[400:]))) > 0.95


def test_the_gradient_vanishes_where_the_fit_stops() -> None:
    embeddings, truth = clouds(300, 0.5)
    weights = np.linspace(1, 3, 300)
    linear = fit.fit_linear(embeddings, truth, labels=3, weights=weights, penalty=1e-2)
    error = fit.softmax(linear.logits(embeddings)) - np.eye(3)[truth]
    gradient = (error * (weights / weights.sum())[:, None]).T @ embeddings + 1e-2 * linear.weights
    assert np.abs(gradient).max() < 1e-5


def test_the_same_input_gives_the_same_bytes() -> None:
    embeddings, truth = clouds(200, 0.4)
    first, second = (fit.fit_linear(embeddings, truth, labels=3) for _ in range(2))
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.bias.tobytes() == second.bias.tobytes()


def test_a_weight_of_two_is_two_rows() -> None:
    embeddings, truth = clouds(60, 0.5)
    doubled = fit.fit_linear(np.vstack([embeddings, embeddings[:30]]), np.append(truth, truth[:30]), labels=3)
    weighted = fit.fit_linear(embeddings, truth, labels=3, weights=np.repeat([2.0, 1.0], 30))
    assert weighted.weights == pytest.approx(doubled.weights, abs=0.02)


def test_a_label_without_rows_gets_little() -> None:
    embeddings, truth = clouds(200, 0.2)
    linear = fit.fit_linear(embeddings, truth, labels=4, penalty=1e-3)
    assert fit.softmax(linear.logits(embeddings))[:, 3].max() < 0.05


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_the_temperature_undoes_a_scale(scale: float) -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4000, 5)) * 2
    truth = np.array([generator.choice(5, p=row) for row in fit.softmax(logits)])
    assert fit.fit_temperature(logits * scale, truth) == pytest.approx(scale, rel=0.1)


def test_softmax_survives_large_logits() -> None:
    assert fit.softmax(np.array([[1e6, 0.0, -1e6]])).tolist() == [[1.0, 0.0, 0.0]]


def test_the_floor_is_the_lowest_that_keeps_the_precision() -> None:
    confidence = np.linspace(0.5, 1, 1000)
    probs = np.stack([confidence, 1 - confidence], axis=1)
    truth = (confidence < 0.7).astype(np.intp)  # right from 0.7 on, wrong below
    floor = fit.choose_floor(truth, probs, 0.9)
    # (1 - 0.7) / (1 - floor) = 0.9
    assert floor == pytest.approx(0.67, abs=0.01)
    assert metrics.above(truth, probs, floor)[1] >= 0.9
    assert metrics.above(truth, probs, floor - 0.01)[1] < 0.9


def test_a_head_that_is_always_right_needs_no_floor() -> None:
    assert fit.choose_floor(np.zeros(100, np.intp), np.tile([0.6, 0.4], (100, 1)), 0.99) == 0.0


def test_a_head_that_is_never_right_gets_the_highest() -> None:
    assert fit.choose_floor(np.ones(100, np.intp), np.tile([0.6, 0.4], (100, 1)), 0.5) >= 0.6
