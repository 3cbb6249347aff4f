from __future__ import annotations

from statistics import mean, stdev
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab.simulation import quality
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.lab.simulation.asked import Asked


def test_nobody_knows_without_a_skill(ask: Callable[..., Asked]) -> None:
    assert quality.is_good(ask(), Behaviour(), {}) is None


def test_what_is_known_wins(ask: Callable[..., Asked]) -> None:
    asked = ask("completions", prompt="p")
    assert quality.is_good(asked, Behaviour(skill=1.0, noise=0), {"p": False}) is False
    assert quality.is_good(asked, Behaviour(), {"p": True}) is True


def test_the_skill_must_reach_the_difficulty(ask: Callable[..., Asked]) -> None:
    sharp = Behaviour(skill=0.6, noise=0)
    found = [
        quality.is_good(ask("completions", prompt=f"[difficulty={d}]"), sharp, {}) for d in ("0.59", "0.6", "0.61")
    ]
    assert found == [True, True, False]


def test_noise_is_fixed_for_prompt_model_and_seed(ask: Callable[..., Asked]) -> None:
    prompts = [ask("completions", prompt=f"{number} [difficulty=0.5]") for number in range(300)]

    def goods(seed: int) -> list[bool | None]:
        return [quality.is_good(asked, Behaviour(skill=0.5, noise=0.2, seed=seed), {}) for asked in prompts]

    assert goods(0) == goods(0) != goods(1)
    assert 100 < goods(0).count(True) < 200


@pytest.mark.parametrize(
    ("good", "separation", "centre", "spread"),
    [(True, 1.0, -0.25, 0.12), (False, 1.0, -0.65, 0.25), (True, 0.5, -0.25, 0.12), (False, 0.5, -0.45, 0.185)],
)
def test_means_are_drawn_as_stated(
    ask: Callable[..., Asked], *, good: bool, separation: float, centre: float, spread: float
) -> None:
    behaviour = Behaviour(separation=separation)
    answers = [
        quality.logprobs(ask("completions", prompt=str(number)), behaviour, good=good, tokens=50)
        for number in range(1000)
    ]
    means = [mean(answer) for answer in answers]

    assert mean(means) == pytest.approx(centre, abs=0.03)
    assert stdev(means) == pytest.approx(spread, abs=0.03)
    assert max(max(answer) for answer in answers) < 0
    assert max(means) <= -0.001 + 1e-6


def test_no_tokens_have_no_log_probabilities(ask: Callable[..., Asked]) -> None:
    assert quality.logprobs(ask(), Behaviour(), good=True, tokens=0) == ()
