"""An explanation for people who never saw the code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from extproc_router.explaining.columns import WIDTH, columns, count, wrapped
from extproc_router.explaining.differing import cut, difference, lines_of
from extproc_router.explaining.explanation import STOPPED, State
from extproc_router.explaining.heads import head_rows
from extproc_router.types import Mutation, Reason, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extproc_router.explaining.explanation import Explanation, ModelLine, SignalLine
    from extproc_router.policy.story import Line
    from extproc_router.types import Decision, Evidence

_ERRORS = 400  # HTTP
_MOST_REPLY_LINES = 30

_SAID = {
    Reason.NAMED: "the client named the model",
    Reason.RULE: "a rule chose",
    Reason.DOMAIN: "the table of domains chose (routing.domains)",
    Reason.NO_RULE: "no rule matched, so the default decides (routing.default)",
    Reason.LOW_CONFIDENCE: "a rule might have matched, had a signal been surer: the default decides (routing.default)",
    Reason.NO_TEXT: "there is nothing to read: the default decides (routing.default)",
    Reason.PRIVACY: "what was wanted is not cleared for the request's privacy tier: another model that is",
    Reason.CAPABILITY: "what was wanted cannot serve this request: another model that can",
    Reason.SHED: "a signal that was needed could not be read: the default decides (routing.default)",
    Reason.BLOCKED: "a safety rule blocked it",
    Reason.DECLINED: "a safety rule answered with a completion that declines",
    Reason.UNCHECKED: "a safety rule could not be decided, so it was held back",
    Reason.LISTED: "the router lists its models itself",
    Reason.REFUSED: "the router answered with an error",
    Reason.PASSED: "it is not routed by this config: Envoy's own route decides",
}


def write(told: Explanation) -> str:
    """Write an explanation: plain text, lines of at most 120 characters, newline at the end."""
    return "\n".join(_lines(told)) + "\n"


def _lines(told: Explanation) -> Iterator[str]:
    yield from columns(list(_summary(told)), indent="")
    for note in told.notes:
        yield from wrapped("Note: ", note)
    yield from _section("Signals", _signals(told.signals))
    yield from _section("Encoder", _encoder(told))
    yield from _section("Safety rules, strictest first; all that match apply", _rules(told.safety))
    yield from _section("Rules, in order; the first that matches chooses", _rules(told.rules))
    yield from _section("Models", _models(told.models))
    yield from _action(told)


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    """Write a section; one without lines is left out, title and all."""
    for number, line in enumerate(lines):
        if not number:
            yield ""
            yield title
        yield line


def _summary(told: Explanation) -> Iterator[tuple[str, str]]:
    decision = told.decision
    yield "Request", told.asked
    yield "Decision", _target(decision)
    yield "Reason", f"{decision.reason}: {_SAID[decision.reason]}"
    yield "Why", _why(told)
    if decision.rule:
        yield "Rule", decision.rule
    if decision.safety:
        yield "Safety", ", ".join(decision.safety)
    if decision.shadow:
        yield "Shadow", f"{', '.join(decision.shadow)} (would have; nothing came of it)"
    yield "Privacy", f"{decision.privacy_tier}"
    if decision.model and decision.reason is not Reason.NAMED:
        yield "Conversation", told.conversation
    yield "Config", f"version {decision.config_version}, encoder {decision.encoder_version}"
    if told.total_ms is not None:
        yield "Took", f"{told.total_ms:.1f} ms"


def _target(decision: Decision) -> str:
    if decision.model:
        return f"{decision.model} on cluster {decision.cluster}"
    return f"HTTP {decision.status} from the router itself" if decision.status else "goes on as it is"


def _why(told: Explanation) -> str:
    """Return the reason, or what the client would be told."""
    if (
        isinstance(told.action, Reply)
        and told.decision.status >= _ERRORS
        and told.decision.reason not in STOPPED - {Reason.REFUSED}
    ):
        return str(json.loads(told.action.body)["error"]["message"])
    return told.decision.why


def _signals(lines: Sequence[SignalLine]) -> Iterator[str]:
    rows = [("signal", "value", "confidence", "time")]
    for line in lines:
        if line.evidence is not None:
            confidence = "" if line.evidence.absent else f"{line.evidence.confidence:.2f}"
            rows.append((line.name, _value(line.evidence), confidence, _time(line)))
        elif line.state is State.NOT_NEEDED:
            rows.append((line.name, "not needed", "", ""))
    if len(rows) > 1:
        yield from columns(rows)
    unused = [line.name for line in lines if line.state is State.UNUSED]
    if unused:
        yield from wrapped("  no rule asks for: ", ", ".join(unused))


def _value(evidence: Evidence) -> str:
    if evidence.absent:
        return f"could not be read: {evidence.absent}"
    number = "" if evidence.number is None else f"{evidence.number:.4g}"
    if number and number != evidence.label:
        return f"{evidence.label} [{number}]" if evidence.label else number
    return evidence.label or "nothing"


def _time(line: SignalLine) -> str:
    if line.ms is None:
        return ""
    return f"{line.ms:.2f} ms{' + encoder' * line.encoder}"


def _encoder(told: Explanation) -> Iterator[str]:
    for number, entry in enumerate(told.encoder, start=1):
        if entry.encoding is None:
            yield f"  text {number}: failed after {entry.ms:.1f} ms"
            continue
        parts = " (parts of a longer text)" * entry.encoding.windowed
        yield f"  text {number}: {count(entry.encoding.tokens, 'token')}{parts}, {entry.ms:.1f} ms"
        rows = [row for name in entry.encoding.heads for row in head_rows(name, entry.encoding)]
        if rows:
            yield from columns(rows, indent="    ")


def _rules(lines: Sequence[Line]) -> Iterator[str]:
    if lines:
        yield from columns([(line.rule, line.outcome, line.why) for line in lines])


def _models(lines: Sequence[ModelLine]) -> Iterator[str]:
    if not lines:
        return
    scored = any(line.score is not None for line in lines)
    rows = [("", "model", "cluster", *(["score"] * scored), "")]
    for line in lines:
        score = "" if line.score is None else f"{line.score:.4g}"
        rows.append((str(line.place or "-"), line.name, line.cluster, *([score] * scored), line.note))
    yield from columns(rows)


def _action(told: Explanation) -> Iterator[str]:
    action = told.action
    if action is None:
        changes = ", ".join(told.decision.changes)
        yield from _section("Change of the body, by name", iter([f"  {changes}"] if changes else []))
    elif isinstance(action, Mutation):
        headers = [f"  {name}: {value}" for name, value in action.set_headers]
        headers += [f"  {name} is removed" for name in action.remove_headers]
        yield from _section("Headers that Envoy sets", iter(headers))
        yield from _section("Change of the body", _change(told, action))
    else:
        yield from _section("Answer to the client, in place of a model's", _reply(action))


def _change(told: Explanation, action: Mutation) -> Iterator[str]:
    if told.before is None:
        return
    changes = ", ".join(told.decision.changes) or "none: every byte stays"
    yield from wrapped("  ", changes)
    if action.body is not None:
        yield from (f"  {line}" for line in difference(told.before, action.body, WIDTH - 2))


def _reply(reply: Reply) -> Iterator[str]:
    yield f"  HTTP {reply.status}"
    yield from (f"  {name}: {value}" for name, value in reply.headers)
    lines = lines_of(reply.body)
    yield from (f"  {cut(line, WIDTH - 2)}".rstrip() for line in lines[:_MOST_REPLY_LINES])
    if len(lines) > _MOST_REPLY_LINES:
        yield f"  ... {count(len(lines) - _MOST_REPLY_LINES, 'more line')}"
