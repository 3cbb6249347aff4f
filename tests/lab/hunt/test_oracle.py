"""The oracle, on cases made by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from extproc_router.attempts import Attempt, Chain
from extproc_router.lab.hunt import oracle
from extproc_router.lab.hunt.answering import Round
from extproc_router.lab.hunt.clauses import Says
from extproc_router.lab.hunt.faults import Faults, Heads
from extproc_router.lab.hunt.policies import Guard, Policy, Server
from extproc_router.lab.hunt.requests import Case, Shape
from extproc_router.lab.hunt.sketches import Plant, Said, Sketch
from extproc_router.lab.hunt.sources import PRIVATE, Source
from extproc_router.types import Ask, Classification, Decision, Flag, HttpRequest, Mutation, Question, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

TIERS = ("public", "Internal", "Straße")
SERVERS = {
    "open": Server("open", "cloud", "org/open", 0),
    "mid": Server("mid", "mid", "mid", 1),
    "own": Server("own", "cellar", "own", 2),
}
SOURCES = {
    "word": Source("word", "keyword", labels=("yes",), marks={"yes": "zebra"}),
    "team": Source("team", "header", labels=("hr",), header="x-team"),
    "domain": Source("domain", "domain", labels=("law",), of="prompt", head="domain", floor=0.5),
    "pii": Source("pii", "pii", labels=("EMAIL_ADDRESS",), head=""),
    "judge": Source("judge", "preference", of="prompt", head="(embedding)", matcher="Internal"),
}
FLAGS = (Flag(0.9, True), Flag(0.1, False))
HEADS = Heads(Classification("law", 0.9, {}), FLAGS, FLAGS, 0.5, 0.9, abstains=False)
BODY = {"model": "own", "prompt": "hello"}


def policy(*guards: Guard, lets_through: bool = False) -> Policy:
    return Policy("", TIERS, SERVERS, ("auto",), guards, SOURCES, lets_through, None)


def case(header: str | None = None, **members: Any) -> Case:
    headers = {} if header is None else {"x-privacy-tier": header}
    stated: dict[str, Any] = {
        "http": HttpRequest("POST", "/v1/completions", headers, json.dumps(BODY).encode()),
        "shape": Shape.READ,
        "sketch": Sketch("completions", (Said("user", "hello"),)),
        "given": {"team": frozenset()},
        "patient": None,
        "heads": HEADS,
        "faults": Faults(),
        "salt": 0,
    }
    return Case(**(stated | members))


def planted(source: str, label: str, text: str) -> Sketch:
    return Sketch("completions", (Said("user", text),), (Plant(source, label, "last", text),))


def decision(*chain: str, tier: str = "public", shadow: tuple[str, ...] = ()) -> Decision:
    cluster = SERVERS[chain[0]].cluster
    return Decision(
        "id", "", "", "", "completions", "", chain[0], cluster, Reason.RULE, "", tier, stream=False, signals=(),
        status=0, chain=chain, shadow=shadow,
    )  # fmt: skip


def mutation(cluster: str, model: str = "own", **members: Any) -> Mutation:
    return Mutation((("x-selected-cluster", cluster),), body=json.dumps(BODY | {"model": model} | members).encode())


def wrong(it: Policy, of: Case, decided: Decision, changed: Mutation, rounds: Sequence[Round] = ()) -> list[str]:
    return [*oracle.sent(it, of, oracle.judge(it, of, rounds), decided, changed)]


@pytest.mark.parametrize(
    ("header", "rank"),
    [
        (None, 0),
        ("public", 0),
        ("INTERNAL", 1),
        (" internal\t", 1),
        ("strasse", 2),
        ("public,Internal", 1),
        ("Straße, public", 2),
        ("publik", 2),
        ("public,", 2),
        ("", 2),
    ],
)
def test_the_header_names_the_highest_tier(header: str | None, rank: int) -> None:
    assert oracle.marked(policy(), case(header)) == rank


def test_tiers_that_case_alone_tells_apart_count_as_the_higher() -> None:
    it = replace(policy(), tiers=("geheim", "x", "Geheim"))
    assert oracle.marked(it, case("geheim")) == 2


def test_rules_raise_the_tier_and_never_lower_it() -> None:
    it = policy(
        Guard("a", "restrict", Says("word", flag=True), tier=1), Guard("b", "restrict", Says("team", flag=True), tier=2)
    )
    assert oracle.judge(it, case(), ()).tier == 0
    assert oracle.judge(it, case(sketch=planted("word", "yes", "zebra")), ()).tier == 1
    assert oracle.judge(it, case("straße", sketch=planted("word", "yes", "zebra")), ()).tier == 2
    assert oracle.judge(it, case(given={"team": frozenset({"hr"})}), ()).tier == 2


def test_what_is_open_restricts_unless_the_rule_says_otherwise() -> None:
    rule = Guard("a", "restrict", Says("domain", 0.5, any_of=("health",)), tier=2)
    gone = (Round((Ask("hello", frozenset({"domain"})),), (), frozenset()),)
    unsure = case(heads=replace(HEADS, domain=Classification("law", 0.4, {})))
    for guard, open_tier in ((rule, 2), (replace(rule, strict=False), 0), (replace(rule, shadow=True), 0)):
        assert oracle.judge(policy(guard), case(), ()).tier == 0
        assert oracle.judge(policy(guard), case(), gone).tier == open_tier
        assert oracle.judge(policy(guard), unsure, ()).tier == open_tier


def test_what_is_open_stops_and_low_confidence_does_not() -> None:
    it = policy(Guard("a", "block", Says("domain", 0.5, any_of=("law",))), Guard("b", "flag", None))
    gone = (Round((Ask("hello", frozenset({"domain"})),), (), frozenset()),)
    assert oracle.judge(it, case(), ()).stops == ("a",)
    assert oracle.judge(it, case(), gone).stops == ("a",)
    assert oracle.judge(it, case(heads=replace(HEADS, domain=Classification("law", 0.4, {}))), ()).stops == ()


def test_a_good_answer_has_nothing_wrong() -> None:
    assert wrong(policy(), case(), decision("open", "own"), mutation("cloud", "org/open")) == []
    assert wrong(policy(), case("Straße"), decision("own", tier="Straße"), mutation("cellar")) == []


@pytest.mark.parametrize(
    ("decided", "changed", "told"),
    [
        (decision("open", tier="Internal"), mutation("cloud", "org/open"), "'open' may serve it, cleared for 'public'"),
        (decision("mid", "open", tier="Internal"), mutation("mid", "mid"), "'open' may serve it"),
        (decision("mid", tier="public"), mutation("mid", "mid"), "is said to be 'public'"),
        (decision("mid", tier="Internal"), mutation("cloud", "mid"), "Envoy is told 'cloud'"),
        (decision("mid", tier="Internal"), mutation("mid", "org/open"), "the body asks for ('org/open',)"),
        (decision("mid", tier="Internal", shadow=("s=open",)), mutation("mid", "mid"), "a shadow rule would"),
        (decision("mid", tier="Internal"), Mutation((("x-selected-cluster", "mid"),), body=b"{"), "asks for ()"),
    ],
)
def test_an_answer_that_leaks(decided: Decision, changed: Mutation, told: str) -> None:
    assert any(told in found for found in wrong(policy(), case("internal"), decided, changed))


def test_what_is_stopped_or_unread_goes_nowhere() -> None:
    stops = policy(Guard("a", "refuse", None))
    assert "it goes on though a holds" in wrong(stops, case(), decision("own"), mutation("cellar"))[0]
    unread = case(shape=Shape.UNREAD)
    assert "nobody read it" in wrong(policy(), unread, decision("own"), mutation("cellar"))[0]


def test_what_is_replaced_does_not_go_on() -> None:
    mail = PRIVATE["EMAIL_ADDRESS"]
    of = case(sketch=planted("pii", "EMAIL_ADDRESS", mail))
    it = policy(Guard("a", "redact", None, signal="pii"))
    assert wrong(it, of, decision("own"), mutation("cellar", prompt="<EMAIL_ADDRESS_1>")) == []
    assert wrong(it, of, decision("own"), mutation("cellar", prompt=mail)) == [
        "EMAIL_ADDRESS goes on, though a replaces it"
    ]
    others = policy(Guard("a", "redact", None, signal="pii", types=("US_SSN",)))
    assert wrong(others, of, decision("own"), mutation("cellar", prompt=mail)) == []
    unreadable = case(faults=Faults({"pii": "read"}))
    assert oracle.judge(it, unreadable, ()).stops == ("a",)


def passes(it: Policy, of: Case) -> list[str]:
    return [*oracle.passed(it, of, oracle.judge(it, of, ()))]


def test_what_passes_undecided_is_not_private() -> None:
    assert passes(policy(), case(shape=Shape.UNREAD)) == []
    assert passes(policy(), case("internal", shape=Shape.EMPTY)) == ["it is 'Internal', and passes undecided"]
    content = policy(Guard("a", "restrict", Says("word", flag=True), tier=2))
    assert passes(content, case(shape=Shape.UNREAD)) == ["it is 'Straße', and passes undecided"]
    assert passes(content, case(shape=Shape.OTHER)) != []
    assert passes(content, case(shape=Shape.EMPTY)) == []
    assert passes(replace(content, lets_through=True), case(shape=Shape.OTHER)) == []
    redacts = policy(Guard("a", "redact", None, signal="pii", strict=False))
    assert passes(redacts, case(shape=Shape.UNREAD)) == []
    assert passes(redacts, case()) == ["it passes undecided though a replaces something"]


def test_a_rule_that_needs_no_body_holds_whatever_the_body_is() -> None:
    skips = policy(Guard("a", "restrict", Says("team", flag=True), tier=1, strict=False))
    of = case(shape=Shape.UNREAD, given={"team": frozenset({"hr"})})
    assert passes(skips, of) == ["it is 'Internal', and passes undecided"]
    assert passes(skips, case(shape=Shape.UNREAD)) == []


def chained(*attempts: Attempt, first: str = "cellar", **members: Any) -> Mutation:
    headers = (("x-selected-cluster", first), ("x-llm-chain", "fallback"))
    return replace(mutation(first, **members), set_headers=headers, chain=Chain(attempts, 1, 1))


OWN, OPEN_ = Attempt("cellar", "own"), Attempt("cloud", "open", ((10, 15, '"org/open"'),))


def test_every_attempt_that_envoy_makes_is_held_to_the_tier() -> None:
    decided, it = decision("own"), policy()
    assert wrong(it, case(), decided, chained(OWN, OPEN_)) == []
    [found] = wrong(it, case("straße"), replace(decided, privacy_tier="Straße"), chained(OWN, OPEN_, OWN))
    assert found == "attempt 2 reaches 'cloud', cleared for 'public', and it is 'Straße'"


def test_every_attempt_asks_its_cluster_for_a_model_that_is_there() -> None:
    [found] = wrong(policy(), case(), decision("own"), chained(OWN, replace(OPEN_, splices=())))
    assert found == "attempt 2 asks 'cloud' for ('own',), which is not there"


def test_what_a_rule_replaces_is_replaced_in_every_attempt() -> None:
    it = policy(Guard("a", "redact", None, signal="pii"))
    mail = PRIVATE["EMAIL_ADDRESS"]
    of = case(sketch=planted("pii", "EMAIL_ADDRESS", mail))
    again = Attempt(
        "cellar", "own", ((len(b'{"model": "own", "prompt": "'), len(b'{"model": "own", "prompt": "'), mail),)
    )
    [found] = wrong(it, of, decision("own"), chained(OWN, again, prompt=""))
    assert found == "attempt 2: EMAIL_ADDRESS goes on, though a replaces it"


QUESTION = Round((), (Question("judge", b"{}"),), frozenset())


def asked(it: Policy, of: Case, *rounds: Round) -> list[str]:
    return [*oracle.questions(it, of, rounds, oracle.judge(it, of, rounds))]


def test_language_models_are_asked_within_their_tier_and_after_everything_else() -> None:
    assert asked(policy(), case("Internal"), QUESTION) == []
    assert "was asked about a request that is 'Straße'" in asked(policy(), case("Straße"), QUESTION)[0]
    assert "a stops the request" in asked(policy(Guard("a", "block", None)), case(), QUESTION)[0]
    redacts = policy(Guard("a", "redact", None, signal="pii"))
    assert "before a replaced anything" in asked(redacts, case(), QUESTION)[0]
    waits = policy(Guard("a", "restrict", Says("domain", 0.5, any_of=("health",)), tier=1))
    first = Round((Ask("hello", frozenset({"domain"})),), (), frozenset({"hello"}))
    assert "before a was settled" in asked(waits, case(), QUESTION)[0]
    assert asked(waits, case(), first, QUESTION) == []
