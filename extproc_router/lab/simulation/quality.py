"""Whether a simulated model answers well, and how sure it is of it: a stated assumption, not a measurement.

An answer is good where its outcome is known to be, else where the model's skill, with normal noise, reaches the
prompt's difficulty. The mean log-probability of its tokens is drawn from N(-0.25, 0.12) where it is good and from
N(-0.65, 0.25) where it is bad, and clipped at -0.001: confidence tells something of quality, and not all. A server's
`separation` moves the bad ones' mean and deviation towards the good ones', down to 0, where it tells nothing. Tokens
spread around the mean exponentially. All of it is fixed by prompt, model and seed.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.behaviour import Behaviour

GOOD_MEAN, GOOD_DEVIATION = -0.25, 0.12
BAD_MEAN, BAD_DEVIATION = -0.65, 0.25
SUREST = -0.001


def is_good(asked: Asked, behaviour: Behaviour, outcomes: Mapping[str, bool]) -> bool | None:
    """Whether the model gets this prompt right; None where neither an outcome nor a skill says so.

    Args:
        asked: the request.
        behaviour: of it.
        outcomes: prompt -> whether this server's model answers it well.
    """
    known = outcomes.get(asked.prompt)
    if known is not None or behaviour.skill is None:
        return known
    return behaviour.skill + chance("skill", asked, behaviour).gauss(0.0, behaviour.noise) >= asked.difficulty


def logprobs(asked: Asked, behaviour: Behaviour, *, good: bool, tokens: int) -> tuple[float, ...]:
    """A log-probability below 0 for each of `tokens` tokens."""
    random = chance("logprobs", asked, behaviour)
    apart = 0.0 if good else behaviour.separation
    mean = GOOD_MEAN + apart * (BAD_MEAN - GOOD_MEAN)
    drawn = random.gauss(mean, GOOD_DEVIATION + apart * (BAD_DEVIATION - GOOD_DEVIATION))
    weights = [random.expovariate(1.0) for _ in range(tokens)]
    scale = min(drawn, SUREST) * tokens / (sum(weights) or 1.0)
    return tuple(min(round(scale * weight, 6), -1e-6) for weight in weights)


def chance(what: str, asked: Asked, behaviour: Behaviour) -> Random:
    """What looks random, for one purpose and one prompt."""
    return Random(f"{what}\0{behaviour.seed}\0{asked.model}\0{asked.prompt}")
