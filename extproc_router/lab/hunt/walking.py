"""One case, walked from its head to its answer as the server walks it, and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import Struct
from msgspec.structs import replace

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.lab.hunt import answering, oracle
from extproc_router.lab.hunt.answering import Flaky, Round
from extproc_router.lab.hunt.sources import ARTEFACT_FLOOR, DOMAINS
from extproc_router.policy import privacy
from extproc_router.policy.stickiness import Held
from extproc_router.router import Plan, Router
from extproc_router.types import Answer, Mutation, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.encoder import Encoder
    from extproc_router.lab.hunt.policies import Policy
    from extproc_router.lab.hunt.requests import Case
    from extproc_router.types import Decision

_MOST_ROUNDS = 6
_SECRET = b"the hunt's secret"


class Desk:
    """A policy as it runs.

    Args:
        policy: its text is loaded and compiled.
        held: the conversations of the desk that it stands in for; None where it is the first.

    Raises:
        ConfigError: the policy has mistakes.
    """

    def __init__(self, policy: Policy, held: Held | None = None) -> None:
        self.policy = policy
        config = loader.load(policy.text, "hunt.yaml")
        self.held = held or Held(config.limits.sticky_conversations, _SECRET)
        self.broken: dict[str, str] = {}
        built = wiring.build_router(config, cast("Encoder", _Artefact()))
        readers = {name: Flaky(reader, self.broken) for name, reader in built.terms.readers.items()}
        self.router = Router(replace(built.terms, readers=readers), self.held)
        self._emissions: dict[str, frozenset[tuple[str, int, str]]] = {}

    def emissions(self, tier: str) -> frozenset[tuple[str, int, str]]:
        """Return what the proof takes the engine to answer for a tier: rule, number of the attempt, model."""
        if tier not in self._emissions:
            found = privacy.emissions(self.router.terms.policy, self.policy.tiers.index(tier))
            self._emissions[tier] = frozenset((rule, attempt, model.name) for rule, attempt, model in found)
        return self._emissions[tier]


class _Artefact:
    """What wiring asks an encoder for before there is anything to read."""

    version = "hunt"
    signals = answering.HEADS
    labels = DOMAINS
    confidence_floor = ARTEFACT_FLOOR

    def embed(self, text: str) -> _Vector:
        return _Vector(answering.embed(text))


class _Vector(tuple[float, ...]):
    """A vector of numpy's, as far as wiring goes."""

    __slots__ = ()

    def tolist(self) -> list[float]:
        return list(self)


class Walk(Struct, frozen=True):
    """What became of a case.

    Attributes:
        answer: the router's; None where it raised or did not come to an end.
        rounds: what was asked on the way.
        error: what it raised.
    """

    answer: Answer | None
    rounds: tuple[Round, ...]
    error: str = ""


def walk(desk: Desk, case: Case) -> Walk:
    """Walk a case; who begins a request ends it, whatever is loaded meanwhile."""
    router, rounds = desk.router, list[Round]()
    desk.broken.clear()
    desk.broken.update(case.faults.broken)
    try:
        outcome = router.shed(case.http, "id", "no room") if case.faults.no_room else router.read(case.http, "id")
        while isinstance(outcome, Plan) and len(rounds) < _MOST_ROUNDS:
            answers, told = answering.answer(case, outcome)
            rounds.append(told)
            outcome = router.decide(outcome, answers)
    except Exception as error:  # noqa: BLE001 - whatever it is, Envoy is left without an answer
        return Walk(None, tuple(rounds), f"{type(error).__name__}: {error}")
    return Walk(outcome if isinstance(outcome, Answer) else None, tuple(rounds), "")


def leaks(desk: Desk, case: Case, walked: Walk) -> Iterator[str]:
    """Yield what is wrong with what became of a case."""
    answer, policy = walked.answer, desk.policy
    verdict = oracle.judge(policy, case, walked.rounds)
    yield from oracle.questions(policy, case, walked.rounds, verdict)
    if answer is None:
        yield f"it comes to no answer: {walked.error or 'it asks and asks'}"
    elif isinstance(answer.action, Mutation):
        if any(name == oracle.CLUSTER_HEADER for name, _ in answer.action.set_headers):
            yield from oracle.sent(policy, case, verdict, answer.decision, answer.action)
            yield from _unforeseen(desk, answer.decision, answer.action)
        else:
            yield from oracle.passed(policy, case, verdict)


def _unforeseen(desk: Desk, decision: Decision, mutation: Mutation) -> Iterator[str]:
    """Yield what the proof does not count with: whatever it proves of a config would not hold."""
    rule = privacy.NAMED if decision.reason is Reason.NAMED else decision.rule or privacy.DEFAULT
    walked = [attempt.model for attempt in mutation.chain.attempts] if mutation.chain else decision.chain
    for attempt, name in enumerate(walked, 1):
        if (rule, attempt, name) not in desk.emissions(decision.privacy_tier):
            yield f"{rule!r} answers {name!r} at attempt {attempt}, which the proof does not foresee"
