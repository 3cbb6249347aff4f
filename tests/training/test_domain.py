from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from extproc_router.training import domain
from extproc_router.training.data import Example, Source, Split

LABELS = ("law", "math", "other")
SOURCES = [source for source in Source if source not in (Source.TOPIC, Source.PROGRAMMING)]


def examples(noise: float = 0.3) -> tuple[list[Example], npt.NDArray[np.float32]]:
    generator = np.random.default_rng(0)
    made, points = [], []
    for number in range(1200):
        label = number % 3
        split = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST)[number // 3 % 4]
        evaluated = (
            SOURCES if split is not Split.TRAIN else [source for source in SOURCES if source is not Source.ARENA]
        )
        made.append(Example(f"text {number}", LABELS[label], evaluated[generator.integers(len(evaluated))], split))
        point = np.eye(6)[label] + noise * generator.normal(size=6)
        points.append(point / np.linalg.norm(point))
    return made, np.array(points, np.float32)


def test_a_head_is_fitted_calibrated_and_measured() -> None:
    outcome = domain.train(*examples(), domain.Settings())
    assert outcome.head.labels == LABELS
    assert {(entry.split, entry.source) for entry in outcome.figures} == {
        (split, source) for split in (Split.VALIDATION, Split.TEST) for source in SOURCES
    }
    assert min(entry.accuracy for entry in outcome.figures) > 0.85
    assert outcome.head.floor_precision == domain.Settings().precision
    tested = next(entry for entry in outcome.figures if (entry.split, entry.source) == (Split.TEST, Source.EXAM))
    assert np.sum(outcome.confusion) == tested.texts
    assert np.trace(outcome.confusion) / tested.texts == pytest.approx(tested.accuracy, abs=1e-4)


def test_the_floor_keeps_its_promise_on_validation() -> None:
    made, embeddings = examples(noise=0.7)
    outcome = domain.train(made, embeddings, domain.Settings(precision=0.95))
    validation = [entry for entry in outcome.figures if entry.split is Split.VALIDATION]
    chat = {Source.EVERYDAY, Source.NATURAL, Source.ARENA}
    shares = []
    for register in (chat, set(SOURCES) - chat):
        entries = [entry for entry in validation if entry.source in register]
        sure = sum(entry.coverage * entry.texts for entry in entries)
        right = sum(entry.precision * entry.coverage * entry.texts for entry in entries)
        texts = sum(entry.texts for entry in entries)
        shares.append((sure / texts, right / texts))
    assert 0 < outcome.head.confidence_floor < 0.99
    assert sum(right for _, right in shares) / sum(sure for sure, _ in shares) >= 0.95 - 1e-3


def test_test_rows_change_nothing_but_their_own_figures() -> None:
    made, embeddings = examples()
    before = domain.train(made, embeddings, domain.Settings())
    spoiled = embeddings.copy()
    spoiled[[example.split is Split.TEST for example in made]] *= -1
    after = domain.train(made, spoiled, domain.Settings())
    assert after.head.linear.weights.tobytes() == before.head.linear.weights.tobytes()
    assert (after.head.temperature, after.head.confidence_floor) == (
        before.head.temperature,
        before.head.confidence_floor,
    )
    assert after.confusion != before.confusion


def test_a_source_without_a_weight_cannot_be_trained_on() -> None:
    made, embeddings = examples()
    leaked = [Example("arena", "law", Source.ARENA, Split.TRAIN), *made[1:]]
    with pytest.raises(KeyError, match="arena"):
        domain.train(leaked, embeddings, domain.Settings())
