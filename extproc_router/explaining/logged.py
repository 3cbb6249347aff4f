"""A decision of the log, told again from the evidence that it kept, under a config given now.

A log keeps no prompt and no header. So a rule may have gone by a value that is not there any more: it is said to be
unknown, and never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from extproc_router.errors import StartupError
from extproc_router.explaining import explanation
from extproc_router.explaining.explanation import STOPPED, Explanation
from extproc_router.explaining.telling import NOTHING, told
from extproc_router.policy.base import Situation
from extproc_router.policy.conditions import PENDING_SIGNAL, State
from extproc_router.policy.story import Line, Story
from extproc_router.router.router import CONTEXT
from extproc_router.signals.plain import shown
from extproc_router.types import Decision, Modality, Reason, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extproc_router.policy.conditions import Condition, Read
    from extproc_router.policy.rules import Route, Safeguard
    from extproc_router.router import Terms

UNKNOWN = "unknown"
_UNREAD = "not read"  # what `story` says of a rule that waits for a signal
_NO_BODY = "the log keeps no body: what changed in it is told by name alone"
_SCORES = "scores are computed again, without the client's max_tokens, which the log does not keep"
_ALL = 100.0


class _Logged(Decision, frozen=True):
    """A line of the log: a decision and its timing."""

    total_ms: float | None = None


class _Kind(msgspec.Struct):
    """What a line of the log that is no decision says of itself."""

    kind: str = ""


def parse(text: bytes, file: str) -> tuple[Decision, float | None]:
    """Read one line of the decision log.

    Returns:
        The decision; and milliseconds from the request to its answer, None where the line does not say.

    Raises:
        StartupError: it is not one such line.
    """
    lines = text.split(b"\n")
    written = [line for line in lines if line.strip()]
    if len(written) != 1:
        raise StartupError(f"{file}: expected one line of the decision log, found {len(written):,}")
    try:
        kind = msgspec.json.decode(written[0], type=_Kind).kind
        if kind:
            told_of = f"a line of kind {kind!r} tells what became of answers"
            raise StartupError(f"{file}: {told_of}; the line to explain is the one with that decision's id")
        logged = msgspec.json.decode(written[0], type=_Logged)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StartupError(f"{file}: not a line of the decision log: {error}") from error
    members = {name: getattr(logged, name) for name in Decision.__struct_fields__}
    return Decision(**members), logged.total_ms


def retell(terms: Terms, decision: Decision, total_ms: float | None = None) -> Explanation:
    """Tell a logged decision.

    Args:
        terms: what would decide now.
        decision: what was logged.
        total_ms: as logged.
    """
    same = decision.config_version == terms.config_version
    story = _story(terms, decision, same=same)
    return Explanation(
        asked=f"request {decision.request_id or '(without id)'} ({decision.api or 'no API'}, "
        f"model {decision.requested_model or '(none)'}{', streamed' * decision.stream})",
        decision=decision,
        signals=tuple(explanation.signal_lines(terms, decision, {})),
        encoder=(),
        safety=story.safety,
        rules=story.rules,
        models=tuple(explanation.model_lines(terms, decision, story)),
        conversation=explanation.conversation(
            terms, decision, unknown="it had no model yet, or none that was remembered"
        ),
        action=None,
        before=None,
        notes=tuple(_notes(terms, decision, story, same=same)),
        total_ms=total_ms,
    )


def _notes(terms: Terms, decision: Decision, story: Story, *, same: bool) -> Iterator[str]:
    if not same:
        yield (
            f"decided under config {decision.config_version or '(unknown)'}, told under {terms.config_version}: the "
            "rules below are those of the config given, and what they come to may differ"
        )
        first = next((line for line in story.rules if line.outcome == "matched"), None)
        if first and first.rule != decision.rule:
            yield f"the log says rule {decision.rule or '(none)'}; here the first that matches is {first.rule}"
    if decision.encoder_version != terms.encoder_version:
        theirs = decision.encoder_version or "(unknown)"
        yield f"the signals are those of encoder {theirs}, not of {terms.encoder_version}"
    gone = [evidence.name for evidence in decision.signals if evidence.name not in terms.readers]
    if gone:
        yield f"the config given has no signal {', '.join(gone)}"
    if decision.privacy_tier not in terms.policy.tiers:
        yield "the config given has no such privacy tier: its rules are not told"
    if any(line.outcome == UNKNOWN for line in (*story.safety, *story.rules)):
        yield "a rule is unknown where it goes by what the log does not keep"
    if story.scores:
        yield _SCORES
    yield _NO_BODY


def _story(terms: Terms, decision: Decision, *, same: bool) -> Story:
    policy = terms.policy
    if decision.reason in (Reason.PASSED, Reason.LISTED) or decision.privacy_tier not in policy.tiers:
        return NOTHING
    read, hidden = _signals(terms, decision)
    situation = _situation(decision, read)
    tier = policy.tiers.index(decision.privacy_tier)
    story = told(policy, decision, tier, situation)
    safety = [_known(line, rule, read, hidden) for rule, line in zip(policy.safeguards, story.safety, strict=True)]
    rules = list(story.rules)
    if rules and decision.reason not in STOPPED:
        pairs = zip(policy.routes, story.rules, strict=True)
        rules = [_known(_shared(line, route, situation), route, read, hidden) for route, line in pairs]
    if same:
        safety = [_as_applied(line, decision) for line in safety]
        rules = list(_as_chosen(rules, decision))
    barred = {name: why for name, why in story.barred.items() if name not in decision.chain}
    return replace(story, safety=tuple(safety), rules=tuple(rules), barred=barred)


def _signals(terms: Terms, decision: Decision) -> tuple[Read, frozenset[str]]:
    """Return what reads the logged signals, and the names of those whose labels the log does not keep."""
    known: dict[str, Signal] = {}
    hidden: set[str] = set()
    for evidence in decision.signals:
        reader = terms.readers.get(evidence.name)
        if reader is None:
            continue
        if reader.known is None and not evidence.absent and evidence.label != shown(()):
            hidden.add(evidence.name)
            continue
        known[evidence.name] = Signal(
            evidence.name,
            evidence.label,
            evidence.confidence,
            frozenset(evidence.labels),
            evidence.number,
            evidence.absent,
        )
    return (lambda name: known.get(name, PENDING_SIGNAL)), frozenset(hidden)


def _situation(decision: Decision, read: Read) -> Situation:
    """Return the request as far as the log knows it."""
    media = {medium.value for medium in Modality}
    return Situation(
        api=decision.api,
        tokens=round(read(CONTEXT).number or 0),
        max_tokens=None,
        modalities=frozenset(Modality(label) for label in read("modality").labels & media),
        tools="declared" in read("tools").labels,
        signal=read,
        key=lambda by: (decision.request_id or None) if by == "request" else None,
    )


def _known(line: Line, rule: Route | Safeguard, read: Read, hidden: frozenset[str]) -> Line:
    """Say of a rule that waits for a signal what of it is not in the log."""
    if line.outcome.removeprefix("shadow: ") != _UNREAD:
        return line
    missing = rule.condition.pending(read)
    kept_back = sorted(missing & hidden)
    if kept_back:
        return Line(line.rule, UNKNOWN, f"the log keeps no value of {', '.join(kept_back)}")
    return Line(line.rule, UNKNOWN, f"the log has no signal {', '.join(sorted(missing))}")


def _shared(line: Line, route: Route, situation: Situation) -> Line:
    """Say of a rule for a percentage what is certain: the log does not keep what most are shared out by."""
    if route.percent >= _ALL or situation.key(route.by) is not None or line.outcome == "not reached":
        return line
    condition: Condition = route.condition
    state = condition.state(situation.signal)
    if state is State.NO:
        return Line(route.name, "no match", condition.explain(situation.signal))
    return Line(route.name, UNKNOWN, f"for {route.percent:g} % by {route.by}, which the log does not keep")


def _as_applied(line: Line, decision: Decision) -> Line:
    """Believe the log where a safety rule cannot be told."""
    if line.outcome != UNKNOWN:
        return line
    for applied in decision.safety:
        name, _, action = applied.rpartition("=")
        if name == line.rule:
            return Line(line.rule, action, f"as logged; {line.why}")
    return line


def _as_chosen(lines: Sequence[Line], decision: Decision) -> Iterator[Line]:
    """Believe the log of the rule that chose."""
    chosen = False
    for line in lines:
        if chosen:
            yield Line(line.rule, "not reached", "")
        elif line.rule == decision.rule and line.outcome == UNKNOWN:
            chosen = True
            yield Line(line.rule, "matched", f"as logged; {line.why}")
        else:
            yield line
