"""One request, decided here and now, and told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from extproc_router import wiring
from extproc_router.explaining import explanation
from extproc_router.explaining.explanation import STOPPED, Explanation
from extproc_router.explaining.given import fresh
from extproc_router.explaining.timing import Ledger, Timed, timed_encoder
from extproc_router.policy.story import Line, Story, tell
from extproc_router.types import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.encoder import Encoder
    from extproc_router.policy.base import Situation
    from extproc_router.policy.engine import Policy
    from extproc_router.router import Opened, Router
    from extproc_router.types import Answer, Decision, HttpRequest

NOTHING = Story((), (), {}, {})
_ASKS_A_MODEL = "language models are not asked here: signals that need one are absent"
_NAMED = "the client named a model, so no rule was asked"


def explain(
    router: Router, encoder: Encoder, http: HttpRequest, clock: Callable[[], float] = time.perf_counter
) -> Explanation:
    """Decide a request as the first of its conversation, and tell how that came.

    Args:
        router: decides.
        encoder: reads prompts for it.
        http: the request.
        clock: monotonic seconds.
    """
    # Once untimed: what the first use of a library takes, `serve` has behind it.
    wiring.decide(fresh(router), encoder, http)
    ledger = Ledger(clock)
    timed = fresh(router, [Timed(reader, ledger) for reader in router.terms.readers.values()])
    started = clock()
    answer, opened = wiring.decide(timed, timed_encoder(encoder, ledger), http)
    total_ms = (clock() - started) * 1000
    decision, terms = answer.decision, router.terms
    # Taken before the story is told: that may look at a signal again.
    signals = tuple(explanation.signal_lines(terms, decision, dict(ledger.signals)))
    story = _story(timed, answer, opened) if opened else NOTHING
    return Explanation(
        asked=f"{http.method} {http.path}{_asked(decision)}",
        decision=decision,
        signals=signals,
        encoder=tuple(ledger.passes),
        safety=story.safety,
        rules=story.rules,
        models=tuple(explanation.model_lines(terms, decision, story)),
        conversation=explanation.conversation(terms, decision, unknown="it has no model yet"),
        action=answer.action,
        before=opened.body if opened else None,
        notes=tuple(_notes(decision)),
        total_ms=total_ms,
    )


def told(policy: Policy, decision: Decision, tier: int, situation: Situation) -> Story:
    """Tell the rules as far as they were asked.

    Args:
        policy: what decided.
        decision: what it came to.
        tier: rank of the request's privacy tier in the end.
        situation: the request, with signals that are remembered.
    """
    named = decision.reason is Reason.NAMED
    stopped = decision.reason in STOPPED
    story = tell(policy, tier, situation, named=named or stopped)
    if named:
        return replace(story, barred={})
    if stopped:
        rules = tuple(Line(route.name, "not reached", "") for route in policy.routes)
        # Only what refused it for want of a model looked at all of them.
        looked = decision.reason is Reason.REFUSED and policy.is_auto(decision.requested_model)
        barred = story.barred if looked else {}
        return replace(story, rules=rules, barred=barred)
    return story


def _story(router: Router, answer: Answer, opened: Opened) -> Story:
    decision, policy = answer.decision, router.terms.policy
    tier = policy.tiers.index(decision.privacy_tier)
    return told(policy, decision, tier, router.situation(opened))


def _asked(decision: Decision) -> str:
    if not decision.api:
        return ""
    stream = ", streamed" if decision.stream else ""
    return f" ({decision.api}, model {decision.requested_model or '(none)'}{stream})"


def _notes(decision: Decision) -> list[str]:
    notes = [_NAMED] if decision.reason is Reason.NAMED else []
    return notes + [_ASKS_A_MODEL] * any(evidence.absent.startswith("judge") for evidence in decision.signals)
