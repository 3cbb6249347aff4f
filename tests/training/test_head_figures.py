from __future__ import annotations

import numpy as np
import pytest

from extproc_router.training import head_figures, tagger
from extproc_router.training.fit import Linear
from extproc_router.training.ladder import PAIR, Fitted, Inputs, Kind, Rung


def head(kind: Kind, labels: tuple[str, ...], *rungs: Rung | None, threshold: float | None = None) -> Fitted:
    return Fitted(kind, labels, rungs, threshold, 0.5, 0.9, np.arange(0), (None,) * len(rungs))


def linear(*rows: list[float]) -> Linear:
    return Linear(np.array(rows, dtype=np.float64), np.zeros(len(rows)))


def inputs(*values: float) -> Inputs:
    x = np.array(values, dtype=np.float32)[:, None]
    return Inputs((x, x), np.arange(len(values)))


def test_a_choice() -> None:
    # The first tier says the same, and answers where it is sure.
    rung = linear([1.0], [-1.0])
    fitted = head("choice", ("a", "b"), Rung(rung, 1.0, exit_above=0.9), Rung(rung, 1.0))
    found = head_figures.of_choice(fitted, inputs(3.0, -3.0, 0.5, 0.5), np.array([0, 1, 0, 1]))
    assert found["accuracy"] == found["accuracy with tiers"] == 0.75
    assert found["always the commonest label"] == 0.5
    assert found["answered by tier 0"] == found["answered by tier 1"] == 0.5
    assert found["agreement of early tiers"] == 1.0
    assert found["coverage"] == 1.0


def test_a_flag() -> None:
    fitted = head("flag", ("x",), None, Rung(linear([1.0]), 1.0), threshold=0.6)
    found = head_figures.of_flag(fitted, inputs(2.0, 0.0, 1.0, -2.0), np.array([True, True, False, False]), 0.01)
    assert found["AUC"] == 0.75
    assert found["recall at FPR 0.01"] == 0.5
    assert found["recall at the threshold"] == 0.5
    assert found["false positives at the threshold"] == 0.5
    assert found["answered by tier 1"] == 1.0
    assert "agreement of early tiers" not in found
    alone = head_figures.of_flag(fitted, inputs(2.0, 0.0), np.array([True, True]), 0.01)
    assert alone["AUC"] is None
    assert alone["recall at FPR 0.01"] is None
    assert alone["false positives at the threshold"] is None


def test_a_pair() -> None:
    fitted = head("pair", PAIR, None, Rung(linear([0.0], [1.0], [-1.0], [0.0]), 1.0))
    truth = np.array([[True, False], [False, True], [True, True]])
    found = head_figures.of_pair(fitted, inputs(3.0, -3.0, 0.0), truth)
    assert found["AUC, strong right"] == found["AUC, weak right"] == found["AUC, strong better"] == 1.0
    assert found["score moved by tiers"] == 0.0


def test_spans() -> None:
    # Whatever is above zero begins a span.
    fitted = head("spans", ("O", "B-A", "I-A"), None, Rung(linear([0.0, 0], [9.0, 0], [0.0, 0]), 1.0))
    states = np.array([[1.0], [-1.0], [1.0]], dtype=np.float16)
    page = tagger.Page(
        (states,), np.zeros((3, 1), np.uint8), [(0, 2), (3, 5), (6, 8)], [0, 1, 1], ((0, 2, "A"), (3, 5, "A"))
    )
    found = head_figures.of_spans(fitted, [page, page])
    assert (found["spans"], found["F1"], found["precision"], found["recall"]) == (4, 0.5, 0.5, 0.5)
    assert found["F1 with tiers"] == found["F1 whatever the type"] == pytest.approx(0.5)
    assert found["answered by tier 1"] == 1.0
