"""One contract for every strategy; what is special about one is in strategies/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from extproc_router.learning import base, crossfit
from extproc_router.learning.base import Features, Outcomes
from extproc_router.learning.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.learning.base import Floats
    from extproc_router.learning.strategies import Settings

    World = Callable[..., tuple[Outcomes, Features]]

pytestmark = pytest.mark.parametrize("strategy", [family() for family in STRATEGIES.values()], ids=list(STRATEGIES))


def advantage(score: Floats, gain: Floats) -> float:
    """Mean gain of the half that the strategy would send to the strong model, less that of the rest."""
    middle = np.median(score)
    return float(gain[score >= middle].mean() - gain[score < middle].mean())


def test_finds_out_of_fold_who_is_good_at_what(strategy: Settings, world: World) -> None:
    outcomes, features = world(400)
    quality = crossfit.out_of_fold(strategy, outcomes, features, folds=4, seed=0)
    gain = outcomes.quality[:, 1] - outcomes.quality[:, 0]
    assert advantage(base.need(quality, 1, 0), gain) > 1.0
    assert advantage(base.need(quality, 0, 1), -gain) > 1.0


def test_finds_nothing_where_nothing_is(strategy: Settings, world: World) -> None:
    outcomes, features = world(400)
    shuffled = np.random.default_rng(1).permutation(outcomes.quality)
    outcomes = Outcomes(outcomes.models, shuffled, outcomes.groups)
    quality = crossfit.out_of_fold(strategy, outcomes, features, folds=4, seed=0)
    assert abs(advantage(base.need(quality, 1, 0), shuffled[:, 1] - shuffled[:, 0])) < 0.3


@pytest.mark.parametrize(("models", "missing"), [(2, 0.0), (2, 0.4), (5, 0.0), (5, 0.4)])
def test_quality_is_a_probability_for_every_prompt_and_model(
    strategy: Settings, world: World, models: int, missing: float
) -> None:
    outcomes, features = world(200, models, missing=missing)
    quality = strategy.fit(outcomes, features, 0).quality(world(50, models, seed=7)[1])
    assert quality.shape == (50, models)
    assert quality.dtype == np.float64
    assert np.isfinite(quality).all()
    assert quality.min() >= 0
    assert quality.max() <= 1


def test_the_same_seed_gives_the_same_numbers(strategy: Settings, world: World) -> None:
    outcomes, features = world(200, 3)
    first, second = (strategy.fit(outcomes, features, 5).arrays() for _ in range(2))
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_a_prompt_alone_is_judged_as_among_others(strategy: Settings, world: World) -> None:
    outcomes, features = world(300, 3)
    fitted = strategy.fit(outcomes, features, 0)
    together = fitted.quality(features)
    for row in (0, 256, 299):
        alone = fitted.quality(features.take(np.array([row])))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)


def test_no_prompt_gets_no_answer(strategy: Settings, world: World) -> None:
    outcomes, features = world(100, 3)
    nothing = features.take(np.array([], dtype=np.intp))
    assert strategy.fit(outcomes, features, 0).quality(nothing).shape == (0, 3)


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_a_model_that_is_always_the_same_is_no_trouble(strategy: Settings, world: World, answer: float) -> None:
    outcomes, features = world(100, 2)
    quality = outcomes.quality.copy()
    quality[:, 0] = answer
    predicted = strategy.fit(Outcomes(outcomes.models, quality, outcomes.groups), features, 0).quality(features)
    assert np.isfinite(predicted).all()


def test_a_model_that_was_never_tried_is_no_trouble(strategy: Settings, world: World) -> None:
    outcomes, features = world(100, 3)
    quality = outcomes.quality.copy()
    quality[:, 1] = np.nan
    predicted = strategy.fit(Outcomes(outcomes.models, quality, outcomes.groups), features, 0).quality(features)
    assert np.isfinite(predicted).all()


def test_is_restored_from_its_arrays_and_settings(strategy: Settings, world: World) -> None:
    outcomes, features = world(150, 3, missing=0.1)
    fitted = strategy.fit(outcomes, features, 0)
    settings: Any = msgspec.convert(msgspec.to_builtins(strategy), type(strategy))
    restored = settings.restore(fitted.models, fitted.arrays())
    np.testing.assert_allclose(restored.quality(features), fitted.quality(features), atol=1e-6)


def test_refuses_arrays_that_are_missing_or_do_not_fit(strategy: Settings, world: World) -> None:
    outcomes, features = world(100, 3)
    arrays = strategy.fit(outcomes, features, 0).arrays()
    with pytest.raises((KeyError, ValueError)):
        strategy.restore(("a", "b"), arrays)
    for name in arrays:
        with pytest.raises((KeyError, ValueError)):
            strategy.restore(outcomes.models, {key: array for key, array in arrays.items() if key != name})
        with pytest.raises((KeyError, ValueError)):
            strategy.restore(outcomes.models, {**arrays, name: arrays[name][..., None]})


def test_unknown_settings_are_refused(strategy: Settings) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"depth": 3}, type(strategy))
