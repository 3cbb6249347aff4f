"""The comparison: thresholds picked on one half of the prompts, five policies measured on the other, all live."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.evaluation.resample import interval
from extproc_router.lab import stack
from extproc_router.lab.cascade_quality import picking
from extproc_router.lab.cascade_quality import prompts as prompts_file
from extproc_router.lab.cascade_quality.picking import BOTH, CASCADE, ROUTING, Seen
from extproc_router.lab.cascade_quality.playing import play
from extproc_router.lab.cascade_quality.policies import STRONG, WEAK, Policy
from extproc_router.lab.simulated import simulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.evaluation.arrays import Floats
    from extproc_router.lab.cascade_quality.playing import Served
    from extproc_router.lab.cascade_quality.prompts import Halves, Prompt

ALWAYS_WEAK, ALWAYS_STRONG = "always weak", "always strong"
_FIXED = {ALWAYS_WEAK: Policy(default=WEAK), ALWAYS_STRONG: Policy(default=STRONG)}
# Tries the weak model on everything, judges each answer, and serves it.
_LOOK = Policy(accept_at=0.0, reads_difficulty=True)
_BOOTSTRAP = 2000


class Range(Struct, frozen=True):
    """A figure, and the range of 95 % of its bootstrap."""

    value: float
    low: float
    high: float


class Measured(Struct, frozen=True):
    """One policy on the measuring half.

    Attributes:
        name: of the policy.
        policy: what it was.
        quality: share of prompts whose client got a good answer.
        relative: it, as a share of always-strong's.
        cost: as a share of always-strong's, both attempts counted.
        strong: share of prompts that the strong model answered.
        escalated: share of prompts whose first answer was doubted.
    """

    name: str
    policy: Policy
    quality: float
    relative: Range
    cost: Range
    strong: float
    escalated: float


class Lead(Struct, frozen=True):
    """How `BOTH` differs from another policy, as shares of always-strong's."""

    over: str
    quality: Range
    cost: Range

    @property
    def told(self) -> str:
        """Which of the two is better, beyond chance, in a word or three."""
        if self.quality.low > 0:
            return "better"
        return "worse" if self.quality.high < 0 else "cannot be told apart"


class Findings(Struct, frozen=True):
    """Everything.

    Attributes:
        picked: prompts that thresholds were picked on.
        measured: prompts that were measured.
        budget: what thresholds were picked for, as a share of always-strong's cost.
        auc: of the verifier's head on the picking half, out of fold.
        policies: in the order of the table.
        leads: over routing alone, and over the cascade alone.
    """

    picked: int
    measured: int
    budget: float
    auc: float
    policies: tuple[Measured, ...]
    leads: tuple[Lead, ...]


class Settings(Struct, frozen=True):
    """How it is done.

    Attributes:
        prices: model -> USD per million tokens, of prompts and answers.
        answer_tokens: length of every answer.
        budget: what may be spent, as a share of what the strong model alone costs.
        separation: of good from bad answers' log-probabilities, as the simulated servers have it.
        seed: of the simulated log-probabilities, the folds and the bootstrap.
    """

    prices: Mapping[str, float]
    answer_tokens: int
    budget: float
    separation: float
    seed: int


def run(halves: Halves, settings: Settings) -> Findings:
    """Do it.

    Raises:
        StartupError: something does not start or does not answer.
    """
    with ExitStack() as parts:
        directory = parts.enter_context(stack.workspace())
        servers = {}
        for name in (WEAK, STRONG):
            known = [(prompt.text, getattr(prompt, name)) for prompt in (*halves.picking, *halves.measuring)]
            options = (
                f"--outcomes={prompts_file.save(known, directory / f'{name}.jsonl')}",
                f"--answer-tokens={settings.answer_tokens}",
                f"--separation={settings.separation}",
                f"--seed={settings.seed}",
            )
            servers[name] = parts.enter_context(simulated(directory, name, *options))

        def played(name: str, policy: Policy, prompts: Sequence[Prompt]) -> list[Served]:
            return play(name, policy, prompts, prices=settings.prices, servers=servers)

        strong = played("picking half, strong", _FIXED[ALWAYS_STRONG], halves.picking)
        seen = Seen(played("picking half, weak", _LOOK, halves.picking), strong)
        policies = {**_FIXED, **picking.pick(seen, budget=settings.budget, seed=settings.seed)}
        served = {name: played(name, policy, halves.measuring) for name, policy in policies.items()}
    return findings(seen, policies, served, settings)


def findings(
    seen: Seen, policies: Mapping[str, Policy], served: Mapping[str, Sequence[Served]], settings: Settings
) -> Findings:
    """Sum up.

    Args:
        seen: the picking half.
        policies: by name.
        served: name -> what came of each prompt of the measuring half, in one order.
        settings: see there.
    """
    drawn = _Drawn(served, settings.seed)
    return Findings(
        picked=len(seen.weak),
        measured=len(served[ALWAYS_STRONG]),
        budget=settings.budget,
        auc=picking.auc(seen, seed=settings.seed),
        policies=tuple(
            Measured(
                name=name,
                policy=policies[name],
                quality=prompts_file.share([each.good for each in found]),
                relative=drawn.range(drawn.relative(name)),
                cost=drawn.range(drawn.cost(name)),
                strong=prompts_file.share([each.model == STRONG for each in found]),
                escalated=prompts_file.share([each.escalated for each in found]),
            )
            for name, found in served.items()
        ),
        leads=tuple(
            Lead(
                over,
                drawn.range(drawn.relative(BOTH) - drawn.relative(over)),
                drawn.range(drawn.cost(BOTH) - drawn.cost(over)),
            )
            for over in (ROUTING, CASCADE)
        ),
    )


class _Drawn:
    """The measuring half as it is, and drawn anew many times, the same prompts for all policies."""

    def __init__(self, served: Mapping[str, Sequence[Served]], seed: int) -> None:
        count = len(served[ALWAYS_STRONG])
        draws = np.random.default_rng(seed).integers(count, size=(_BOOTSTRAP, count))
        self._draws = np.concatenate([np.arange(count)[None], draws])
        self._good = {name: np.array([float(each.good) for each in found]) for name, found in served.items()}
        self._cost = {name: np.array([each.cost for each in found]) for name, found in served.items()}

    def relative(self, name: str) -> Floats:
        return self._mean(self._good[name]) / self._mean(self._good[ALWAYS_STRONG])

    def cost(self, name: str) -> Floats:
        return self._mean(self._cost[name]) / self._mean(self._cost[ALWAYS_STRONG])

    def _mean(self, values: Floats) -> Floats:
        mean: Floats = values[self._draws].mean(axis=1)
        return mean

    @staticmethod
    def range(values: Floats) -> Range:
        """The first is the half as it is."""
        low, high = interval(values[1:]) or (float("nan"), float("nan"))
        return Range(float(values[0]), low, high)
