from __future__ import annotations

import numpy as np
import pytest

from extproc_router.evaluation import cascade_fit, cascade_simulation
from extproc_router.lab.simulation import quality


def test_the_assumption_is_that_of_the_simulated_servers() -> None:
    for name in ("GOOD_MEAN", "GOOD_DEVIATION", "BAD_MEAN", "BAD_DEVIATION", "SUREST"):
        assert getattr(cascade_simulation, name) == getattr(quality, name)


@pytest.mark.parametrize("wanted", [0.5, 0.6, 0.7, 0.8, 0.9])
def test_an_auc_can_be_asked_for(wanted: float) -> None:
    separation = cascade_simulation.separation_of(wanted)
    assert cascade_simulation.auc(separation) == pytest.approx(wanted, abs=1e-6)
    good = np.tile([0.0, 1.0], 20_000)
    drawn = cascade_simulation.mean_logprobs(good, separation, np.random.default_rng(0))
    assert cascade_fit.auc(drawn, good) == pytest.approx(wanted, abs=0.01)
    assert drawn.max() <= cascade_simulation.SUREST


def test_the_assumption_has_an_auc_of_0_92() -> None:
    assert cascade_simulation.auc(1.0) == pytest.approx(0.925, abs=0.001)
