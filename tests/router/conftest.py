from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Struct

from extproc_router.candidates import Candidate
from extproc_router.errors import ShedError
from extproc_router.policy.base import Scope
from extproc_router.policy.conditions import Always, State
from extproc_router.policy.conditions import Test as Asks
from extproc_router.policy.engine import Policy
from extproc_router.policy.pickers import KINDS as PICKERS
from extproc_router.policy.rules import Action, Fallback, Route, Safeguard
from extproc_router.policy.stickiness import Held
from extproc_router.router import Plan, Router, Terms
from extproc_router.signals import KINDS
from extproc_router.signals.base import Answers, Cost, Resources, Subject
from extproc_router.signals.pii import Pii
from extproc_router.types import (
    Answer,
    Ask,
    Classification,
    Encoding,
    Flag,
    HeadAnswer,
    HttpRequest,
    Question,
    Reason,
    Reply,
    Signal,
    Span,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extproc_router.policy.conditions import Condition
    from extproc_router.signals.base import Reader

CHAT = "/v1/chat/completions"
CAP = 4096
SMALL = Candidate("small-8b", "small", "small-8b", 0.1, 0.3, 1)
LARGE = Candidate("large-70b", "large", "org/large", 0.9, 1.8, 0)
# Signals that strategies may read.
NUMBERS = frozenset({"difficulty", "e"})
RESOURCES = Resources(
    heads=frozenset({"domain", "jailbreak", "reasoning", "pii"}),
    domains=("math", "law"),
    confidence_floor=0.4,
    embed=lambda _: (1.0, 0.0),
)


class Stub(Struct):
    """A reader that does as told: what it asks and says are values, or what it raises."""

    name: str
    cost: Cost = Cost.FACT
    said: Signal | Exception | None = None
    asked: tuple[Ask | Question, ...] | Exception = ()
    known: frozenset[str] | None = frozenset({"x"})
    numeric: bool = True
    floor: float = 0.0
    reads: int = 0

    def asks(self, _: Subject) -> tuple[Ask | Question, ...]:
        if isinstance(self.asked, Exception):
            raise self.asked
        return self.asked

    def read(self, _: Subject, answers: Answers) -> Signal:
        self.reads += 1
        if isinstance(self.said, Exception):
            raise self.said
        for ask in self.asks(_):
            answer = answers.encodings[ask.text] if isinstance(ask, Ask) else answers.said[ask.signal]
            if isinstance(answer, ShedError):
                raise answer
        return self.said or Signal(self.name, "x", 1.0, frozenset({"x"}), 1.0)


def reader(kind: str, **options: Any) -> Reader:
    """A signal as a config would declare it."""
    found = KINDS[kind]
    return found.build(kind, found.options.model_validate({"kind": kind, **options}), RESOURCES)


def when(name: str, *labels: str, guards: bool = False) -> Asks:
    """Whether a signal is sure to have one of these labels; without any, whether it has a label."""
    return Asks(
        name,
        any_of=frozenset(labels) or None,
        truth=None if labels else True,
        floor=0.4,
        low=State.NO if guards else State.LOW,
    )


def route(name: str, pool: Sequence[Candidate], condition: Condition | None = None, **members: Any) -> Route:
    """A rule; `pick` and further options of a strategy under `options`."""
    options = members.pop("options", {"pick": "static"})
    kind = PICKERS[options["pick"]]
    picker = kind.build(kind.options.model_validate(options), Scope(tuple(pool), NUMBERS, NUMBERS))
    return Route(name, condition or Always(), tuple(pool), picker, **members)


def guard(action: Action, condition: Condition | None = None, **members: Any) -> Safeguard:
    stated: dict[str, Any] = {"name": action.value, "message": "Not here.", "tier": 1}
    stated |= {"signal": "pii"} if action is Action.REDACT else {}
    return Safeguard(condition=condition or Always(), action=action, **(stated | members))


def router(
    routes: Sequence[Route] | None = None,
    safeguards: Sequence[Safeguard] = (),
    readers: Mapping[str, Reader] | None = None,
    **changes: Any,
) -> Router:
    """Two models; what the encoder reads as mathematics goes to the large one."""
    candidates = changes.pop("candidates", (SMALL, LARGE))
    default = changes.pop("default", candidates[0].name)
    built = {kind: reader(kind) for kind in ("context", "stream", "domain", "jailbreak", "reasoning", "pii")}
    built |= readers or {}
    table = [route("routing.domains", [LARGE], when("domain", "math"), reason=Reason.DOMAIN)]
    policy = Policy(
        candidates={candidate.name: candidate for candidate in candidates},
        auto=frozenset({"", "auto"}),
        tiers=changes.pop("tiers", ("public", "restricted")),
        safeguards=tuple(safeguards),
        routes=tuple(table if routes is None else routes),
        default=default,
        fallback=changes.pop("fallback", Fallback()),
    )
    stated: dict[str, Any] = {
        "matchers": {},
        "counters": {},
        "unrouted": None,
        "counts_tokens": any(candidate.window for candidate in candidates),
        "sticky_by": "conversation",
        "config_version": "cv",
        "encoder_version": "ev",
        "max_body_bytes": CAP,
        "created": 1_700_000_000,
    }
    redactors = {name: one for name, one in built.items() if isinstance(one, Pii)}
    terms = Terms(policy=policy, readers=built, redactors=redactors, **(stated | changes))
    return Router(terms, Held(100, b"0123456789abcdef"))


def post(body: bytes | None, path: str = CHAT, **headers: str) -> HttpRequest:
    return HttpRequest("POST", path, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def chat(model: str | None = "auto", text: str = "What is 2 + 2?", **members: Any) -> bytes:
    named = {} if model is None else {"model": model}
    return json.dumps({**named, "messages": [{"role": "user", "content": text}], **members}).encode()


def answer(http: HttpRequest, it: Router | None = None) -> Answer:
    answered = (it or router()).read(http, "id1")
    assert isinstance(answered, Answer)
    return answered


def plan(http: HttpRequest, it: Router | None = None) -> Plan:
    read = (it or router()).read(http, "id1")
    assert isinstance(read, Plan)
    return read


class Reads:
    """An encoder that is told what its heads say; persons are found by their name."""

    def __init__(self, label: str = "math", p: float = 0.9, *, attack: bool = False, names: Sequence[str] = ()) -> None:
        self.domain = Classification(label, p, {label: p})
        self.attack = Flag(0.9 if attack else 0.1, attack)
        self.names = names
        self.asked: list[Ask] = []

    def __call__(self, asks: Sequence[Ask]) -> dict[str, Encoding | ShedError]:
        self.asked += asks
        return {ask.text: self.read(ask) for ask in asks}

    def read(self, ask: Ask) -> Encoding:
        found = [(name, ask.text.find(name)) for name in self.names]
        persons = tuple(Span(at, at + len(name), "PERSON", 0.9) for name, at in found if at >= 0)
        flag = Flag(0.9, True)
        said: dict[str, HeadAnswer] = {
            "domain": self.domain,
            "jailbreak": self.attack,
            "reasoning": flag,
            "pii": persons,
        }
        return Encoding({head: said[head] for head in ask.heads}, dict.fromkeys(ask.heads, 1), 5, windowed=False)


def decide(
    it: Router, http: HttpRequest, encode: Any = None, said: Mapping[str, bytes | ShedError] | None = None
) -> Answer:
    """Walk a request to its end, with an encoder and with what language models say."""
    outcome = it.read(http, "id1")
    for _ in range(9):
        if isinstance(outcome, Answer):
            return outcome
        outcome = it.decide(outcome, Answers((encode or Reads())(outcome.asks), said or {}))
    raise AssertionError("it does not end")


def error(reply: Answer) -> dict[str, Any]:
    assert isinstance(reply.action, Reply)
    document: dict[str, Any] = json.loads(reply.action.body)
    return document["error"]  # type: ignore[no-any-return]


class Desk:
    """What tests of this room share, as one fixture."""

    CHAT, CAP, SMALL, LARGE = CHAT, CAP, SMALL, LARGE
    Stub, Reads = Stub, Reads
    reader = staticmethod(reader)
    when = staticmethod(when)
    route = staticmethod(route)
    guard = staticmethod(guard)
    router = staticmethod(router)
    post = staticmethod(post)
    chat = staticmethod(chat)
    answer = staticmethod(answer)
    plan = staticmethod(plan)
    decide = staticmethod(decide)
    error = staticmethod(error)


@pytest.fixture(scope="session")
def desk() -> type[Desk]:
    return Desk
