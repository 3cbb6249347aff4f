"""What came of a cascade, as telemetry receives it: the verdict, what each attempt cost, and nothing that was said."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.attempts import Usage

if TYPE_CHECKING:
    from extproc_router.attempts import Heard, Verification

_PER_MILLION = 1_000_000
_BYTES_A_TOKEN = 4  # of English text, as tokenizers of language models go


class Outcome(StrEnum):
    """What came of a cascade."""

    ACCEPTED = "accepted"  # the first answer was found good, and served
    ESCALATED = "escalated"  # it was doubted, and another model's was served
    KEPT = "kept"  # it was doubted, but the others failed: the first model's was served after all
    DOUBTED = "doubted"  # it was doubted, but no other attempt was made, or none that gave an answer
    UNJUDGED = "unjudged"  # nobody judged it: no answer, compressed, too long, left too early
    FAILED = "failed"  # judging it failed, and it was served


class Paid(Struct, frozen=True):
    """What one attempt took: tokens, whether they are the server's own count or estimated, and USD."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    counted: bool
    cost_usd: float


class Judged(Struct, frozen=True):
    """One cascade.

    Attributes:
        decision_id: of the decision that began it.
        rule: whose cascade it is.
        verdict: what came of it.
        good: probability in [0, 1] that the first answer was acceptable; None where it was not judged.
        signs: what spoke against it.
        features: what `good` was computed from.
        attempts: those that gave an answer or a part of one, in order.
    """

    decision_id: str
    rule: str
    verdict: Outcome = Outcome.UNJUDGED
    good: float | None = None
    signs: tuple[str, ...] = ()
    features: dict[str, float] = {}
    attempts: tuple[Paid, ...] = ()


def paid(asked: Verification, attempt: int, heard: Heard, request_bytes: int) -> Paid:
    """Return what an attempt cost, by the server's own count or as far as it was heard.

    Args:
        asked: names the models and their prices.
        attempt: its number, from 1; those past the list go to the last model.
        heard: what was heard of its answer.
        request_bytes: of the request's body; what the prompt is estimated by.
    """
    place = min(attempt, len(asked.models)) - 1
    usage = heard.usage or Usage(request_bytes // _BYTES_A_TOKEN, _heard_tokens(heard), counted=False)
    prompt_price, completion_price = asked.costs[place]
    cost = (usage.prompt * prompt_price + usage.completion * completion_price) / _PER_MILLION
    return Paid(asked.models[place], usage.prompt, usage.completion, usage.counted, cost)


def _heard_tokens(heard: Heard) -> int:
    return max(len(heard.tokens), heard.pieces) or len(heard.text) // _BYTES_A_TOKEN
