from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.evaluation import predictors

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.outcomes import Outcomes


def test_each_predicts_every_model_on_every_row(noisy: Callable[..., Outcomes]) -> None:
    rows = noisy(400)
    for name, predictor in predictors.PREDICTORS.items():
        predicted = predictor(rows, 5, 0)
        assert predicted.shape == (400, 2), name
        assert np.isfinite(predicted).all(), name


def test_group_means_follow_the_groups(noisy: Callable[..., Outcomes]) -> None:
    rows = noisy(4000)
    predicted = predictors.group_mean(rows, 5, 0)
    for group in (0, 1):
        inside = rows.groups == group
        np.testing.assert_allclose(predicted[inside].mean(axis=0), rows.quality[inside].mean(axis=0), atol=0.01)


def test_one_length_for_all_is_no_obstacle(make: Callable[..., Outcomes]) -> None:
    rows = make([1, 0, 1, 0], [1, 1, 1, 1], lengths=np.full(4, 9))
    assert np.isfinite(predictors.length(rows, 2, 0)).all()
