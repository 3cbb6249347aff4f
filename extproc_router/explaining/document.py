"""An explanation for machines: one JSON object, whose members keep their names and meanings.

* every member of the decision log's `Decision`, by its name, but `signals`;
* `signals`: of each {name, state: `read` | `not needed` | `unused`, ms}, and where it was read {label, confidence,
  labels, number, absent}; `ms` leaves the encoder's time out and is null where it is not known;
* `encoder`: of each text that the encoder read {ms, tokens, windowed, abstained, heads: {name: answer}, tiers: {name:
  tier}}; `heads` is empty where it failed;
* `safety_rules`, `rules`: of each, in order, {rule, outcome, why};
* `models`: of each {name, cluster, place: in the chain from 1, 0 where it is not in it, score: number or null, note};
* `conversation`, `notes`: sentences for people;
* `total_ms`: from the request to the answer, null where it is not known;
* where the request goes on `set_headers`, `remove_headers`, `body`: {before, after} as JSON values, or texts where they
  are none, null where every byte stays; and `attempts`: of each that Envoy may make by itself {cluster, model}, in
  order, none where it walks no chain;
* where the router answers itself `reply`: {status, headers, body: a JSON value, or a text}.

A logged decision has nothing of the last two.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.types import Mutation, Reply

if TYPE_CHECKING:
    from extproc_router.explaining.explanation import Explanation, SignalLine
    from extproc_router.explaining.timing import Pass

_DIGITS = 3


def describe(told: Explanation) -> dict[str, Any]:
    """Return the object as plain data."""
    document: dict[str, Any] = msgspec.to_builtins(told.decision)
    document |= {
        "signals": [_signal(line) for line in told.signals],
        "encoder": [_encoded(entry) for entry in told.encoder],
        "safety_rules": msgspec.to_builtins(told.safety),
        "rules": msgspec.to_builtins(told.rules),
        "models": msgspec.to_builtins(told.models),
        "conversation": told.conversation,
        "notes": list(told.notes),
        "total_ms": _ms(told.total_ms),
    }
    if isinstance(told.action, Mutation):
        document["set_headers"] = dict(told.action.set_headers)
        document["remove_headers"] = list(told.action.remove_headers)
        after = told.action.body
        attempts = told.action.chain.attempts if told.action.chain else ()
        document["attempts"] = [{"cluster": attempt.cluster, "model": attempt.model} for attempt in attempts]
        document["body"] = None if after is None else {"before": _json(told.before or b""), "after": _json(after)}
    elif isinstance(told.action, Reply):
        reply = told.action
        document["reply"] = {"status": reply.status, "headers": dict(reply.headers), "body": _json(reply.body)}
    return document


def _signal(line: SignalLine) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if line.evidence is not None:
        evidence = line.evidence
        said = {
            "label": evidence.label,
            "confidence": evidence.confidence,
            "labels": list(evidence.labels),
            "number": evidence.number,
            "absent": evidence.absent,
        }
    return {"name": line.name, "state": line.state.value, "ms": _ms(line.ms), **said}


def _encoded(entry: Pass) -> dict[str, Any]:
    if entry.encoding is None:
        return {"ms": _ms(entry.ms), "heads": {}}
    read: dict[str, Any] = msgspec.to_builtins(entry.encoding)
    read.pop("embedding")
    return {"ms": _ms(entry.ms), **read}


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
