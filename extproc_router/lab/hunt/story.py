"""A case told to people: the config that matters, the request, what went wrong, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from extproc_router.types import Mutation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.hunt.faults import Faults
    from extproc_router.lab.hunt.running import Played

_SHOWN = 700  # bytes of a body


def tell(played: Played) -> str:
    """Write a story of some twenty lines."""
    return "\n".join(_lines(played))


def _lines(played: Played) -> Iterator[str]:
    policy, case, walked = played.policy, played.case, played.walked
    yield f"tiers: {' < '.join(map(repr, policy.tiers))}"
    yield "models: " + ", ".join(
        f"{server.name!r} on {server.cluster!r} (sees {policy.tiers[server.clearance]!r})"
        for server in policy.servers.values()
    )
    written = yaml.safe_load(policy.text)
    for section in ("safety", "signals", "rules"):
        for entry in written.get(section, ()):
            yield f"{section}: {entry}"
    yield f"routing: {written['routing']}"
    yield f"request: {case.http.method} {case.http.path} {dict(case.http.headers)}"
    yield f"body ({case.shape.value}): {(case.http.body or b'')[:_SHOWN]!r}"
    yield f"to be found: {[f'{plant.source}={plant.label} ({plant.place})' for plant in case.sketch.plants]}"
    yield f"the encoder says: {case.heads}"
    yield f"faults: {_told(case.faults)}"
    for number, each in enumerate(walked.rounds, 1):
        asked = sorted({head for ask in each.asks for head in ask.heads})
        yield f"round {number}: heads {asked}, language models {[question.signal for question in each.questions]}"
    if walked.answer is None:
        yield f"answer: none ({walked.error})"
    else:
        decision, action = walked.answer.decision, walked.answer.action
        yield f"answer: {decision.reason.value}, {decision.why}; {decision.privacy_tier!r}, safety {decision.safety}"
        if isinstance(action, Mutation):
            attempts = [(one.cluster, one.model) for one in action.chain.attempts] if action.chain else []
            yield f"Envoy is told: {action.set_headers}; chain {decision.chain}, attempts {attempts}"
        else:
            yield f"the client is answered: {action.status}"
    for found in played.found:
        yield f"LEAK: {found}"


def _told(faults: Faults) -> str:
    said = {field: getattr(faults, field) for field in faults.__struct_fields__}
    return ", ".join(f"{field} {value}" for field, value in said.items() if value) or "none"
