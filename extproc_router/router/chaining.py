"""What Envoy walks by itself where a model fails, or its answer is doubted: the models, and a body for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from extproc_router import dialects
from extproc_router.attempts import Attempt, Chain, Verification
from extproc_router.candidates import Candidate
from extproc_router.router.bodies import Bodies
from extproc_router.signals import difficulty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.dialects import Edit
    from extproc_router.policy.engine import Choice
    from extproc_router.policy.rules import Cascade, Fallback
    from extproc_router.router.compose import Opened

MAX_BYTES: Final = 32 * 1024
"""Of what tells the bodies of a chain apart; a chain of which there is more to tell is left out."""

_UNJUDGED: Final = frozenset({"embeddings"})
# Of how many attempts the first model is tried again.
_AGAIN = 2
# What an attempt and a splice take at most in Envoy's metadata, beside the texts in them.
_ATTEMPT_BYTES, _SPLICE_BYTES = 96, 48


class Walk(Struct, frozen=True):
    """Where a request goes.

    Attributes:
        models: that are tried, in order, each once.
        body: for the first of them; the original itself where nothing changes.
        changes: what changes in it, in words, redactions left out.
        chain: what Envoy walks; None where there is one model alone.
    """

    models: tuple[Candidate, ...]
    body: bytes
    changes: tuple[str, ...]
    chain: Chain | None = None

    @property
    def taker(self) -> str:
        """Name of the model that takes over where the first answer is doubted; empty where none is judged."""
        return self.models[1].name if self.chain and self.chain.verification else ""


def walk(opened: Opened, choice: Choice, redactions: tuple[Edit, ...], fallback: Fallback) -> Walk:
    """Plan the walk of a request, over as many models as may be tried.

    In a cascade the first model counts once, and is tried again behind the second: what the client is owed where that
    one fails, the first has said already, and the verifier has kept it.

    Args:
        opened: the request.
        choice: the models, and what their rule changes.
        redactions: edits that every body has.
        fallback: how many models may be tried, and how long each may be silent.
    """
    bodies = Bodies(opened, choice, redactions)
    models = choice.chain[: fallback.attempts]
    cascade = choice.cascade if len(models) > 1 and opened.request.api not in _UNJUDGED else None
    billed = cascade is not None
    edits, changes = bodies.edits(models[0], judged=billed, billed=billed)
    attempts = [Attempt(models[0].cluster, models[0].name)]
    attempts += [
        Attempt(model.cluster, model.name, dialects.splices(opened.body, edits, other))
        for model in models[1:]
        for other, _ in (bodies.edits(model, judged=False, billed=billed),)
    ]
    if size(attempts) > MAX_BYTES:
        return walk(opened, choice, redactions, replace(fallback, attempts=1))
    body = dialects.apply(opened.body, edits)
    if len(attempts) == 1:
        return Walk(models, body, changes)
    verification = None
    if cascade is not None:
        attempts.insert(_AGAIN, attempts[0])
        tried = (*models[:_AGAIN], models[0], *models[_AGAIN:])
        verification = _verification(opened, choice, cascade, tried, body=body, changes=changes)
    times = fallback.stream_seconds, fallback.answer_seconds
    return Walk(models, body, changes, Chain(tuple(attempts), *times, verification, fallback.on_context_length))


def size(attempts: Sequence[Attempt]) -> int:
    """Bound what attempts take in Envoy's metadata, in bytes, the first one twice."""
    texts = [text for attempt in attempts for _, _, text in attempt.splices]
    names = sum(_ATTEMPT_BYTES + len(attempt.cluster) for attempt in (*attempts, attempts[0]))
    return names + sum(_SPLICE_BYTES + len(text.encode()) for text in texts)


def _verification(
    opened: Opened, choice: Choice, cascade: Cascade, tried: Sequence[Candidate], *, body: bytes, changes: Sequence[str]
) -> Verification:
    request = opened.request
    return Verification(
        decision_id=opened.decision.id,
        rule=choice.rule,
        api=request.api,
        stream=request.stream,
        accept_at=cascade.accept_at,
        first_tokens=cascade.first_tokens,
        models=tuple(model.name for model in tried),
        costs=tuple((model.cost_input, model.cost_output) for model in tried),
        difficulty=opened.readings.at_hand(difficulty.HEAD),
        strips_logprobs="logprobs" in changes,
        strips_usage="include_usage" in changes and not choice.edits.include_usage,
        tools=request.tools,
        bounded=request.max_tokens is not None,
        json_schema=dialects.demanded_schema(body),
    )
