"""From what the policy says to what Envoy is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from extproc_router import dialects
from extproc_router.dialects import Dialect, Edit
from extproc_router.errors import BlockedByPolicy, ClientError, SafetyUnchecked, UncheckableBody
from extproc_router.policy.rules import Action
from extproc_router.router import chaining
from extproc_router.router.readings import Readings
from extproc_router.signals.pii_types import TooMuch
from extproc_router.types import Answer, Decision, Mutation, Reason, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.attempts import Chain
    from extproc_router.policy.engine import Choice
    from extproc_router.policy.guarding import Guarded
    from extproc_router.policy.rules import Fallback, Safeguard
    from extproc_router.signals.pii import Pii

# Envoy's routes choose by it; clients cannot set it (envoy.yaml strips it before the route is resolved).
CLUSTER_HEADER = "x-selected-cluster"
# Joins an upstream's log with ours.
DECISION_HEADER = "x-llm-decision"
# Which route walks the chain: `fallback`, or `cascade`, where a verifier judges the first answer.
CHAIN_HEADER = "x-llm-chain"
FALLBACK, CASCADE = "fallback", "cascade"
# Envoy's own.
RETRIES_HEADER = "x-envoy-max-retries"
TIMEOUT_HEADER = "x-envoy-upstream-rq-per-try-timeout-ms"

Tell: TypeAlias = Callable[[int, ClientError], Reply]
"""Writes an error in an API's own shape."""

_RETRY_AFTER = ("retry-after", "1")


class Opened(Struct, frozen=True):
    """A request whose body was read, and what is known of it.

    Attributes:
        decision: as far as it goes.
        body: as upstream shall get it, but for the edits.
        was_encoded: whether the client had compressed it.
        tier: rank of the privacy tier that its headers ask for.
    """

    decision: Decision
    dialect: Dialect
    request: Request
    body: bytes
    was_encoded: bool
    tier: int
    readings: Readings


def send(opened: Opened, choice: Choice, guarded: Guarded, redactors: Mapping[str, Pii], fallback: Fallback) -> Answer:
    """Let the request go to the chosen model, and to the next where that one fails, with what is to change in it."""
    candidate, readings = choice.chain[0], opened.readings
    redacted = tuple(_redactions(opened.body, guarded, readings, redactors))
    walk = chaining.walk(opened, choice, tuple(edit for _, found in redacted for edit in found), fallback)
    decision = replace(
        opened.decision,
        model=candidate.name,
        cluster=candidate.cluster,
        reason=choice.reason,
        why=choice.why,
        signals=readings.evidence(),
        rule=choice.rule,
        chain=tuple(model.name for model in walk.models),
        safety=guarded.applied,
        shadow=(*guarded.shadow, *choice.shadow),
        sticky=choice.sticky,
        changes=(*walk.changes, *(f"{name}: {len(found)} redacted" for name, found in redacted if found)),
        cascade=walk.taker,
    )
    own = ((CLUSTER_HEADER, candidate.cluster), (DECISION_HEADER, decision.id))
    mutation = Mutation(
        set_headers=(*own, *_chain_headers(walk.chain, opened.request)) if walk.chain else own,
        remove_headers=("content-encoding",) if opened.was_encoded else (),
        body=walk.body if opened.was_encoded or walk.body is not opened.body else None,
        chain=walk.chain,
    )
    return Answer(decision, mutation)


def _chain_headers(chain: Chain, request: Request) -> tuple[tuple[str, str], ...]:
    """Tell Envoy which route walks the chain, how far, and how long an attempt may be silent."""
    seconds = chain.stream_seconds if request.stream else chain.answer_seconds
    return (
        (CHAIN_HEADER, CASCADE if chain.verification else FALLBACK),
        (RETRIES_HEADER, str(len(chain.attempts) - 1)),
        (TIMEOUT_HEADER, str(round(seconds * 1000))),
    )


def stop(opened: Opened, guarded: Guarded, created: int) -> Answer:
    """Answer in a model's place, because a safety rule says so, or could not be decided."""
    readings, dialect = opened.readings, opened.dialect
    rule = guarded.stop or guarded.unchecked
    if rule is None:  # pragma: no cover  # callers ask first
        raise AssertionError("nothing stops this request")
    decision = replace(
        opened.decision,
        why=f"{rule.name}: {rule.applies.explain(readings.read)}",
        signals=readings.evidence(),
        safety=guarded.applied,
        shadow=guarded.shadow,
    )
    if not guarded.stop and any(signal.absent == TooMuch.__name__ for signal in decision.signals):
        # It would be too much the next time as well.
        error = UncheckableBody("This body cannot be checked: it holds more personal data than is looked through.")
        return refuse(decision, error, dialect.error(error.status, error))
    if not guarded.stop:
        return unchecked(decision, dialect.error)
    if rule.action is Action.REFUSE:
        declined = dialect.decline(opened.body, opened.request, rule.message, decision.id, created)
        if declined is not None:
            return Answer(replace(decision, reason=Reason.DECLINED, status=declined.status), declined)
    return block(decision, rule, dialect.error)


def block(decision: Decision, rule: Safeguard, tell: Tell) -> Answer:
    """Answer that a safety rule forbids it."""
    blocked = BlockedByPolicy(rule.message)
    return Answer(replace(decision, reason=Reason.BLOCKED, status=blocked.status), tell(blocked.status, blocked))


def unchecked(decision: Decision, tell: Tell) -> Answer:
    """Hold a request back, because a safety rule could not be decided."""
    error = SafetyUnchecked("A safety check is not available for this request at the moment. Try again.")
    reply = tell(error.status, error)
    reply = replace(reply, headers=(*reply.headers, _RETRY_AFTER))
    return Answer(replace(decision, reason=Reason.UNCHECKED, status=error.status), reply)


def refuse(decision: Decision, error: ClientError, reply: Reply) -> Answer:
    """Answer with an error."""
    why = error.code or error.type  # the message quotes what the client wrote
    return Answer(replace(decision, reason=Reason.REFUSED, why=why, status=error.status), reply)


def _redactions(
    body: bytes, guarded: Guarded, readings: Readings, redactors: Mapping[str, Pii]
) -> Iterator[tuple[str, tuple[Edit, ...]]]:
    """Yield what each rule that redacts changes in a body."""
    for rule in guarded.redact:
        redactor = redactors[rule.signal].redactor(readings.subject, readings.answers, rule.types)
        yield rule.name, dialects.redactions(body, redactor)
