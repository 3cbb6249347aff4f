"""What holds for every policy, request and failure: random rules over signals of every cost, some of them broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.candidates import Candidate
from extproc_router.errors import EncoderTimeout, ModelTimeout, ShedError
from extproc_router.policy import guarding
from extproc_router.policy.conditions import All, Always, AnyOf, Not
from extproc_router.policy.rules import Action, Cascade, Edits, Fallback, Safeguard, Think
from extproc_router.router import CLUSTER_HEADER, Plan
from extproc_router.signals.base import Answers, Cost
from extproc_router.types import Answer, Ask, Encoding, Flag, HttpRequest, Mutation, Question, Reason, Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extproc_router.policy.conditions import Condition
    from extproc_router.router import Router
    from extproc_router.types import Decision

TIERS = ("0", "1", "2", "3")
SECRET = "jane@example.com"
COSTS = {"a": Cost.FACT, "b": Cost.TEXT, "c": Cost.ENCODER, "d": Cost.ENCODER, "e": Cost.ENCODER, "m": Cost.MODEL}
ASKS = {
    "c": (Ask("one", frozenset({"c"})),),
    "d": (Ask("one", frozenset({"d"})), Ask("two", frozenset({"d"}))),
    "e": (Ask("two", embedding=True),),
    "m": (Ask("one", embedding=True), Question("m", json.dumps({"messages": [{"content": SECRET}]}).encode())),
}
STRATEGIES: tuple[dict[str, Any], ...] = (
    {"pick": "static"},
    {"pick": "threshold", "strong": "u", "weak": "v", "at": 0.5, "signal": "e"},
    {"pick": "split", "shares": {"u": 50, "v": 50}},
    {"pick": "hash", "by": "header:x-user"},
    {"pick": "least_loaded"},
)


@st.composite
def conditions(draw: st.DrawFn, desk: Any, names: Sequence[str], *, guards: bool) -> Condition:
    def leaf() -> Condition:
        condition: Condition = desk.when(draw(st.sampled_from(names)), guards=guards)
        return condition

    parts: list[Condition] = [leaf() if draw(st.booleans()) else Not(leaf()) for _ in range(draw(st.integers(0, 3)))]
    if len(parts) < 2:
        return parts[0] if parts else Always()
    return All(tuple(parts)) if draw(st.booleans()) else AnyOf(tuple(parts))


@st.composite
def routers(draw: st.DrawFn, desk: Any) -> Router:
    """Any policy over six signals and five models; a signal may raise, wherever it can."""
    models = [Candidate(name, name, name, 0, 0, draw(st.integers(0, 3))) for name in "uvwxy"]
    readers = {
        name: desk.Stub(
            name,
            cost,
            said=draw(
                st.sampled_from(
                    [
                        Signal(name, "x", 0.9, frozenset({"x"}), 0.9),
                        Signal(name, "x", 0.1, frozenset({"x"}), 0.1),
                        Signal(name, "", 1.0, number=0.0),
                        ValueError("broken"),
                    ]
                )
            ),
            asked=draw(st.sampled_from([ASKS.get(name, ()), ASKS.get(name, ()), (), ValueError("broken")])),
        )
        for name, cost in COSTS.items()
    }
    safeguards = [
        desk.guard(
            draw(st.sampled_from(Action)),
            draw(conditions(desk, "abcde", guards=True)),
            name=f"s{index}",
            tier=draw(st.integers(0, 3)),
            strict=draw(st.booleans()),
            shadow=draw(st.sampled_from([False, False, True])),
        )
        for index in range(draw(st.integers(0, 3)))
    ]
    routes = [
        desk.route(
            f"r{index}",
            models[: draw(st.integers(2, 5))],
            draw(conditions(desk, "abcdemmm", guards=False)),
            options=draw(st.sampled_from(STRATEGIES)),
            percent=draw(st.sampled_from([100.0, 50.0])),
            shadow=draw(st.sampled_from([False, False, True])),
            edits=draw(st.sampled_from([Edits(), Edits(think=Think.AUTO)])),
            cascade=draw(st.sampled_from([None, Cascade()])),
        )
        for index in range(draw(st.integers(0, 4)))
    ]
    strictest = sorted(safeguards, key=lambda rule: list(Action).index(rule.action))
    it: Router = desk.router(
        routes,
        strictest,
        readers,
        candidates=tuple(models),
        default=draw(st.sampled_from("uvwxy")),
        tiers=TIERS,
        matchers={"m": draw(st.integers(0, 3))},
        fallback=Fallback(tuple(draw(st.lists(st.sampled_from("uvwxy"), unique=True))), draw(st.integers(1, 8))),
    )
    return it


def requests(desk: Any) -> st.SearchStrategy[HttpRequest]:
    def request(model: str, tier: str, user: str, roles: list[str]) -> HttpRequest:
        turns = [{"role": role, "content": f"about {SECRET}"} for role in roles]
        body = json.dumps({"model": model, "messages": turns}).encode()
        http: HttpRequest = desk.post(body, x_privacy_tier=tier, x_user=user, x_request_id=user)
        return http

    roles = st.sampled_from([["user"], ["user", "assistant", "user"]])
    tiers = st.sampled_from(["0", "0", "0", "1", "2", "0,2", "unheard of"])
    return st.builds(request, st.sampled_from(["auto", "auto", "u", "w"]), tiers, st.text("ab", max_size=3), roles)


def encoded(desk: Any, ask: Ask) -> Encoding:
    heads = ask.heads & {"c", "d"}
    read: Encoding = desk.Reads(names=["jane"]).read(replace(ask, heads=ask.heads - heads))
    said = {**read.heads, **dict.fromkeys(heads, Flag(0.9, True))}
    return replace(read, heads=said)


def answers(desk: Any, data: st.DataObject, plan: Plan) -> Answers:
    """What the encoder and a language model say: all of it, errors, or nothing."""
    encodings: dict[str, Encoding | ShedError] = {}
    for ask in plan.asks:
        answer = data.draw(st.sampled_from([encoded(desk, ask), encoded(desk, ask), EncoderTimeout("late"), None]))
        if answer is not None:
            encodings[ask.text] = answer
    replies: st.SearchStrategy[bytes | ShedError] = st.one_of(st.just(b"!"), st.just(ModelTimeout("late")))
    return Answers(encodings, {question.signal: data.draw(replies) for question in plan.questions})


def redacts(safeguards: Sequence[Safeguard], applied: Sequence[str]) -> bool:
    return any(guarding.told(rule) in applied and rule.action is Action.REDACT for rule in safeguards)


def walk(desk: Any, it: Router, http: HttpRequest, data: st.DataObject) -> tuple[Answer, list[Plan]]:
    outcome, plans = it.read(http, "id"), list[Plan]()
    while isinstance(outcome, Plan):
        assert outcome.asks or outcome.questions
        plans.append(outcome)
        assert len(plans) <= 2
        outcome = it.decide(outcome, answers(desk, data, outcome))
    return outcome, plans


def check_plans(it: Router, decision: Decision, plans: Sequence[Plan]) -> None:
    """The encoder is asked once; whatever a language model is asked, it is asked when all is known."""
    safeguards = it.terms.policy.safeguards
    assert not any(plan.asks for plan in plans[1:])
    for plan in plans:
        assert len({ask.text for ask in plan.asks}) == len(plan.asks)
        guarded = guarding.guard(safeguards, plan.opened.tier, plan.opened.readings.read)
        for question in plan.questions:
            assert not guarded.pending
            assert it.terms.matchers[question.signal] >= TIERS.index(decision.privacy_tier)
            assert (SECRET.encode() in question.body) is not redacts(safeguards, decision.safety)


def check_sent(it: Router, http: HttpRequest, decision: Decision, mutation: Mutation) -> None:
    """No model that may serve it, and none that a shadow would have chosen, is less cleared than the request needs."""
    policy, tier = it.terms.policy, TIERS.index(decision.privacy_tier)
    assert decision.chain[0] == decision.model
    assert all(policy.candidates[name].clearance >= tier for name in decision.chain)
    assert dict(mutation.set_headers)[CLUSTER_HEADER] == policy.candidates[decision.model].cluster
    for told in decision.shadow:
        chosen = policy.candidates.get(told.partition("=")[2])
        assert chosen is None or chosen.clearance >= tier
    stops = [rule for rule in policy.safeguards if rule.action in {Action.BLOCK, Action.REFUSE}]
    assert not {guarding.told(rule) for rule in stops if not rule.shadow} & set(decision.safety)
    body = mutation.body or http.body or b""
    assert (SECRET.encode() in body) is not redacts(policy.safeguards, decision.safety)
    check_chain(it, decision, mutation, body)


def check_chain(it: Router, decision: Decision, mutation: Mutation, body: bytes) -> None:
    """Every attempt that Envoy makes by itself is one of the models that may serve it, with that model's own body."""
    policy, chain = it.terms.policy, mutation.chain
    assert len(decision.chain) <= policy.fallback.attempts
    assert (chain is not None) is (len(decision.chain) > 1)
    if chain is None:
        return
    assert tuple(dict.fromkeys(attempt.model for attempt in chain.attempts)) == decision.chain
    assert chain.attempts[0].splices == ()
    for attempt in chain.attempts:
        sent = body
        for start, end, text in reversed(attempt.splices):
            sent = sent[:start] + text.encode() + sent[end:]
        assert attempt.cluster == policy.candidates[attempt.model].cluster
        assert json.loads(sent)["model"] == policy.candidates[attempt.model].served_name
        assert (SECRET.encode() in sent) is not redacts(policy.safeguards, decision.safety)
    assert bool(decision.cascade) is (chain.verification is not None)


@given(st.data())
@settings(max_examples=300)
def test_every_request_comes_to_an_answer_that_its_tier_allows(desk: Any, data: st.DataObject) -> None:
    it, http = data.draw(routers(desk)), data.draw(requests(desk))
    for _ in range(2):  # the second time, a conversation may have a model
        answer, plans = walk(desk, it, http, data)
        decision = answer.decision
        check_plans(it, decision, plans)
        named = (name.strip() for name in http.headers["x-privacy-tier"].split(","))
        asked_for = max(TIERS.index(name) if name in TIERS else len(TIERS) - 1 for name in named)
        assert TIERS.index(decision.privacy_tier) >= asked_for
        assert SECRET not in repr(decision)
        if isinstance(answer.action, Mutation):
            check_sent(it, http, decision, answer.action)
        else:
            assert decision.model == ""
            assert decision.reason in {Reason.BLOCKED, Reason.DECLINED, Reason.UNCHECKED, Reason.REFUSED}


@given(st.data())
def test_what_the_encoder_does_not_say_can_only_make_it_stricter(desk: Any, data: st.DataObject) -> None:
    """Of two runs one had every answer, the other none; rules that are not strict say themselves that they yield."""
    it = data.draw(routers(desk))
    http = data.draw(requests(desk))
    safeguards = tuple(replace(rule, strict=True) for rule in it.terms.policy.safeguards)
    it = type(it)(replace(it.terms, policy=replace(it.terms.policy, safeguards=safeguards)), it._held)

    def run(encode: Any) -> Answer:
        decided: Answer = desk.decide(it, http, encode)
        return decided

    def seeing(asks: Sequence[Ask]) -> Mapping[str, Encoding]:
        return {ask.text: encoded(desk, ask) for ask in asks}

    seen, unseen = run(seeing), run(lambda _: {})
    if isinstance(unseen.action, Mutation):
        assert TIERS.index(unseen.decision.privacy_tier) >= TIERS.index(seen.decision.privacy_tier)
        stopped = {Reason.BLOCKED, Reason.DECLINED, Reason.UNCHECKED}
        assert seen.decision.reason not in stopped
        if redacts(safeguards, seen.decision.safety):
            assert redacts(safeguards, unseen.decision.safety)
