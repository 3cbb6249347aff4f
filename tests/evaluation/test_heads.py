from __future__ import annotations

import numpy as np
import pytest

from extproc_router.evaluation import heads, resample
from extproc_router.evaluation.head_rows import Answers


def answers(truth: list[int], probs: list[list[float]], labels: tuple[str, ...] = ("a", "b")) -> Answers:
    n = len(truth)
    return Answers(labels, np.array(truth), np.array(probs), ("s",) * n, np.arange(n) * 100, interrupted=False)


def test_by_hand() -> None:
    found = heads.evaluate(answers([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]]), bootstrap=0)
    assert found.accuracy.value == 0.75
    # a: TP 1, FP 0, FN 1 -> 2/3; b: TP 2, FP 1, FN 0 -> 4/5.
    assert found.macro_f1.value == pytest.approx((2 / 3 + 4 / 5) / 2, abs=1e-12)
    assert found.auc.value == 1.0  # both labels are ranked without a mistake
    assert found.recall.value == 1.0
    # Confidences 0.9 right, 0.6 wrong, 0.8 right, 0.7 right, each alone in its bin.
    assert found.ece.value == pytest.approx((0.1 + 0.6 + 0.2 + 0.3) / 4, abs=1e-12)
    assert found.confusion == [[1, 1], [0, 2]]
    assert found.majority == 0.5
    assert found.lengths["0-63 characters"].n == 1
    assert found.lengths["64-255 characters"].n == 2
    assert found.sources["s"].accuracy == 0.75


def test_yes_or_no_counts_yes_alone() -> None:
    scores = [0.9, 0.8, 0.7, 0.6, 0.5]
    labelled = answers([1, 0, 1, 1, 0], [[1 - score, score] for score in scores], ("0", "1"))
    found = heads.evaluate(labelled, fpr=0.5, bootstrap=0)
    assert found.auc.value == pytest.approx(4 / 6, abs=1e-12)  # pairs in order: 2 + 1 + 1 of 6
    assert found.recall.value == 1.0  # one of two negatives lies above 0.6
    assert heads.evaluate(labelled, fpr=0.1, bootstrap=0).recall.value == pytest.approx(1 / 3)


def test_what_the_shipped_threshold_flags_is_told_by_source() -> None:
    labelled = Answers(
        ("0", "1"),
        np.array([1, 1, 0, 0, 0]),
        np.array([[0.1, 0.9], [0.7, 0.3], [0.4, 0.6], [0.9, 0.1], [0.8, 0.2]]),
        ("a", "a", "b", "b", ""),
        np.full(5, -1),
        interrupted=False,
        raised=np.array([True, False, True, False, False]),
    )
    found = heads.evaluate(labelled, bootstrap=0)
    assert found.flagged == {
        "all": heads.Flagged(2, 0.5, 3, 1 / 3),
        "a": heads.Flagged(2, 0.5, 0, None),
        "b": heads.Flagged(0, None, 2, 0.5),
    }
    assert heads.evaluate(answers([0, 1], [[0.9, 0.1], [0.1, 0.9]], ("0", "1")), bootstrap=0).flagged == {}


def test_ties_count_half() -> None:
    labelled = answers([1, 0], [[0.5, 0.5], [0.5, 0.5]], ("0", "1"))
    assert heads.evaluate(labelled, bootstrap=0).auc.value == 0.5


def test_one_label_alone_has_no_auc() -> None:
    found = heads.evaluate(answers([0, 0], [[0.9, 0.1], [0.8, 0.2]]), bootstrap=10)
    assert found.auc.value is None
    assert found.auc.interval is None
    assert found.accuracy.value == 1.0


def test_intervals_hold_the_value_and_packets_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(3, size=3000)
    probs = generator.dirichlet([1, 1, 1], size=3000) + 0.8 * np.eye(3)[truth] * generator.random((3000, 1))
    labelled = answers(truth.tolist(), (probs / probs.sum(axis=1, keepdims=True)).tolist(), ("a", "b", "c"))
    exact = heads.evaluate(labelled, bootstrap=300)
    monkeypatch.setattr(resample, "EXACT_ROWS", 100)
    monkeypatch.setattr(resample, "PACKETS", 512)
    packed = heads.evaluate(labelled, bootstrap=300)
    for name in ("accuracy", "macro_f1", "auc", "recall", "ece"):
        one, two = getattr(exact, name), getattr(packed, name)
        assert one.value == two.value, name
        assert one.interval[1] - one.interval[0] == pytest.approx(two.interval[1] - two.interval[0], rel=0.35), name
    assert exact.accuracy.interval is not None
    assert exact.accuracy.interval[0] < (exact.accuracy.value or 0) < exact.accuracy.interval[1]


@pytest.mark.parametrize(
    ("right", "rows", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_wilson_against_published_values(right: int, rows: int, low: float, high: float) -> None:
    assert heads.wilson(right, rows) == pytest.approx((low, high), abs=1e-4)
