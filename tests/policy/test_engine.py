from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.errors import ModelNotAllowed, ModelNotFound, NoCapableModel, NoEligibleModel
from extproc_router.policy.conditions import PENDING_SIGNAL, Always, State
from extproc_router.policy.conditions import Test as Asks
from extproc_router.policy.engine import Choice, Policy, think
from extproc_router.policy.rules import Cascade, Edits, Fallback, Route, Think
from extproc_router.types import Modality, Reason, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Situation

TIERS = ("public", "internal", "restricted", "secret")


def domain(label: str, confidence: float = 0.9) -> Signal:
    return Signal("domain", label, confidence, frozenset({label}))


@pytest.fixture(scope="session")
def models(model: Callable[..., Candidate]) -> list[Candidate]:
    return [model("small", clearance=1), model("large"), model("code")]


@pytest.fixture(scope="session")
def route(picker: Any) -> Callable[..., Route]:
    def make(pool: list[Candidate], *labels: str, name: str = "rule", options: Any = None, **members: Any) -> Route:
        """A rule for these domains, where they are sure; without any for every request."""
        asks = Asks("domain", any_of=frozenset(labels), floor=0.4)
        strategy = picker(pool, **(options or {"pick": "static"}))
        return Route(name, asks if labels else Always(), tuple(pool), strategy, **members)

    return make


@pytest.fixture(scope="session")
def policy(models: list[Candidate], route: Any) -> Callable[..., Policy]:
    def make(*routes: Route, candidates: Any = models, default: str = "small") -> Policy:
        table = routes or (
            route([candidates[1]], "math", reason=Reason.DOMAIN),
            route([candidates[2]], "computer science", reason=Reason.DOMAIN),
        )
        named = {candidate.name: candidate for candidate in candidates}
        return Policy(named, frozenset({"", "auto"}), TIERS, (), table, default)

    return make


@pytest.fixture(scope="session")
def choose(policy: Any, situation: Any) -> Callable[..., Choice]:
    def decide(*signals: Signal, it: Policy | None = None, tier: int = 0, previous: str | None = None) -> Choice:
        choice: Choice | frozenset[str] = (it or policy()).choose(tier, situation(signals), previous)
        assert isinstance(choice, Choice)
        return choice

    return decide


def names(choice: Choice) -> list[str]:
    return [candidate.name for candidate in choice.chain]


def test_auto_names_leave_the_choice_to_us(policy: Any) -> None:
    assert policy().is_auto("auto")
    assert policy().is_auto("")
    assert not policy().is_auto("small")


class TestNamed:
    def test_it_is_taken_at_its_word(self, policy: Any) -> None:
        choice = policy().named("large", 0)
        assert (names(choice), choice.reason) == (["large"], Reason.NAMED)

    def test_an_unknown_one_is_named_in_the_refusal(self, policy: Any) -> None:
        with pytest.raises(ModelNotFound, match="gpt-9"):
            policy().named("gpt-9", 0)

    def test_one_that_is_not_cleared_is_refused_and_not_replaced(self, policy: Any) -> None:
        with pytest.raises(ModelNotAllowed, match="internal"):
            policy().named("large", 1)


class TestFallback:
    @pytest.fixture
    def it(self, policy: Any, route: Any, model: Any) -> Policy:
        models = [
            model("small", clearance=1),
            model("large"),
            model("tiny", window=10, clearance=1),
            model("spare", clearance=1),
            model("own", clearance=1),
        ]
        made: Policy = policy(route([models[1]], "math"), candidates=models)
        return replace(made, fallback=Fallback(("spare", "tiny", "large", "own")))

    def test_its_models_stand_behind_a_rules_chain_and_the_default(self, choose: Any, it: Policy) -> None:
        assert names(choose(domain("math"), it=it)) == ["large", "small", "spare", "own"]

    def test_and_behind_the_default_itself(self, choose: Any, it: Policy) -> None:
        assert names(choose(it=it)) == ["small", "spare", "large", "own"]
        gone = replace(it, default="tiny")
        assert names(choose(it=gone)) == ["small", "spare", "large", "own"], "the default's window is too small"

    def test_those_alone_that_are_cleared(self, choose: Any, it: Policy) -> None:
        assert names(choose(domain("math"), it=it, tier=1)) == ["small", "spare", "own"]

    def test_whose_window_is_too_small_is_in_no_chain(self, route: Any, model: Any, policy: Any, choose: Any) -> None:
        models = [model("tiny", window=10), model("small"), model("narrow", window=999)]
        it = replace(policy(route(models[:2]), candidates=models), fallback=Fallback(("narrow", "tiny")))
        assert names(choose(it=it)) == ["small"]
        assert names(choose(it=replace(it, routes=()))) == ["small"]

    def test_a_named_model_is_alone(self, it: Policy) -> None:
        assert names(it.named("large", 0)) == ["large"]


class TestCascade:
    def test_the_second_model_takes_over(self, choose: Any, policy: Any, route: Any, models: Any) -> None:
        it = policy(route(models[:2], cascade=Cascade(0.7, 8)))
        assert (names(choose(it=it)), choose(it=it).cascade) == (["small", "large"], Cascade(0.7, 8))

    def test_not_where_it_is_cheaper(self, choose: Any, policy: Any, route: Any, model: Any) -> None:
        """A strategy that finds a prompt hard, and a conversation that has the strong model, have decided."""
        weak, strong = model("small", cost_output=1.0), model("large", cost_output=5.0)
        threshold = {"pick": "threshold", "strong": "large", "weak": "small", "at": 0.5}
        it = policy(route([strong, weak], options=threshold, cascade=Cascade()), candidates=[weak, strong])
        easy, hard = (Signal("difficulty", "", 1.0, number=number) for number in (0.1, 0.9))
        assert (names(choose(easy, it=it)), choose(easy, it=it).cascade) == (["small", "large"], Cascade())
        assert (names(choose(hard, it=it)), choose(hard, it=it).cascade) == (["large", "small"], None)
        held = choose(easy, it=it, previous="large")
        assert (names(held), held.sticky, held.cascade) == (["large", "small"], "held", None)

    def test_not_where_one_model_of_the_rule_is_left(self, choose: Any, policy: Any, route: Any, models: Any) -> None:
        it = policy(route(models[:2], cascade=Cascade()), default="code")
        assert (names(choose(it=it, tier=1)), choose(it=it, tier=1).cascade) == (["small"], None)
        behind = policy(route([models[1], models[0]], cascade=Cascade()), default="small")
        assert choose(it=behind, tier=1).cascade is None

    def test_the_default_that_stands_in_is_not_judged(self, choose: Any, policy: Any, route: Any, models: Any) -> None:
        it = policy(route(models[1:], cascade=Cascade()))
        assert (names(choose(it=it, tier=1)), choose(it=it, tier=1).cascade) == (["small"], None)


class TestRules:
    def test_a_sure_domain_goes_by_its_rule(self, choose: Any) -> None:
        choice = choose(domain("math"))
        assert (names(choice), choice.reason, choice.rule) == (["large", "small"], Reason.DOMAIN, "rule")
        assert choice.why == "rule: domain is math (0.90); first in the rule's order; so large"

    def test_at_the_floor_is_sure_and_below_it_is_not(self, choose: Any) -> None:
        assert choose(domain("math", 0.4)).reason is Reason.DOMAIN
        below = choose(domain("math", 0.399))
        assert (names(below), below.reason) == (["small"], Reason.LOW_CONFIDENCE)
        assert below.why == "domain is math (0.40), below the floor 0.40: default small"

    def test_a_domain_without_a_rule_goes_to_the_default(self, choose: Any) -> None:
        choice = choose(domain("history"))
        assert (names(choice), choice.reason) == (["small"], Reason.NO_RULE)
        assert choice.why == "no rule matched: default small"

    def test_a_signal_that_could_not_be_read_goes_to_the_default(self, choose: Any) -> None:
        choice = choose(Signal("domain", "", 0.0, absent="timeout"))
        assert (names(choice), choice.reason, choice.rule) == (["small"], Reason.SHED, "")
        assert "timeout" in choice.why

    def test_so_does_one_that_the_strategy_needs(self, choose: Any, policy: Any, route: Any, models: Any) -> None:
        threshold = {"pick": "threshold", "strong": "large", "weak": "code", "at": 0.5}
        it = policy(route(models[1:], options=threshold, edits=Edits(max_tokens=5)))
        choice = choose(Signal("difficulty", "", 0.0, absent="timeout"), it=it)
        assert (names(choice), choice.reason, choice.edits) == (["small"], Reason.SHED, Edits())
        assert names(choose(Signal("difficulty", "", 1.0, number=0.9), it=it)) == ["large", "code", "small"]

    def test_what_is_needed_first_is_told(self, policy: Any, situation: Any) -> None:
        assert policy().choose(0, situation(signal=lambda _: PENDING_SIGNAL)) == {"domain"}

    def test_a_rule_brings_its_edits(self, choose: Any, policy: Any, route: Any, models: Any) -> None:
        edits = Edits(max_tokens=5)
        assert choose(it=policy(route(models, edits=edits))).edits is edits

    def test_shadows_are_told_and_do_nothing(self, choose: Any, policy: Any, route: Any, models: Any) -> None:
        it = policy(
            route([models[1]], name="quiet", shadow=True),
            route([models[1]], "math", name="unread", shadow=True),
            route([models[2]]),
        )
        choice = choose(domain("law"), it=it)
        assert (names(choice), choice.shadow) == (["code", "small"], ("quiet=large",))
        assert choose(domain("law"), it=it, tier=1).shadow == ("quiet=default",)

    def test_the_default_stands_last_in_the_chain_and_once(
        self, choose: Any, policy: Any, route: Any, models: Any
    ) -> None:
        assert names(choose(it=policy(route(models[1:])))) == ["large", "code", "small"]
        assert names(choose(it=policy(route(models)))) == ["small", "large", "code"]


class TestNotCleared:
    def test_a_restricted_request_stays_within_its_clearance(self, choose: Any) -> None:
        choice = choose(domain("math"), tier=1)
        assert (names(choice), choice.reason) == (["small"], Reason.PRIVACY)
        assert choice.why == "rule: domain is math (0.90); large is not cleared for internal: default small"

    def test_of_a_list_those_that_are_cleared_serve(self, choose: Any, policy: Any, route: Any, model: Any) -> None:
        pool = [model("a"), model("b", clearance=1), model("small", clearance=1)]
        choice = choose(it=policy(route(pool[:2]), candidates=pool), tier=1)
        assert (names(choice), choice.reason) == (["b", "small"], Reason.RULE)

    def test_where_the_default_is_not_cleared_either_the_first_that_is_serves(
        self, choose: Any, policy: Any, model: Any
    ) -> None:
        pool = [model("small"), model("large"), model("code"), model("vault", clearance=1), model("two", clearance=1)]
        choice = choose(domain("history"), it=policy(candidates=pool), tier=1)
        assert (names(choice), choice.reason) == (["vault"], Reason.PRIVACY)

    def test_nothing_cleared_is_a_stated_refusal(self, choose: Any) -> None:
        with pytest.raises(NoEligibleModel, match="secret"):
            choose(domain("math"), tier=3)


class TestNotAble:
    @pytest.fixture
    def blind(self, model: Any) -> list[Candidate]:
        return [model("small"), model("large", modalities=frozenset()), model("code", modalities=frozenset())]

    @pytest.fixture
    def image(self, situation: Any) -> Situation:
        seen: Situation = situation([domain("math")], modalities=frozenset({Modality.IMAGE}))
        return seen

    def test_what_a_model_cannot_read_goes_to_one_that_can(
        self, policy: Any, blind: list[Candidate], image: Situation
    ) -> None:
        choice = policy(candidates=blind).choose(0, image)
        assert (names(choice), choice.reason) == (["small"], Reason.CAPABILITY)
        assert "large: takes no image" in choice.why

    def test_a_default_that_cannot_is_no_default(self, policy: Any, blind: list[Candidate], image: Situation) -> None:
        choice = policy(candidates=blind, default="large").choose(0, image)
        assert (names(choice), choice.reason) == (["small"], Reason.CAPABILITY)
        assert choice.why.endswith("default large, takes no image: small")

    def test_where_none_can_it_is_refused(self, policy: Any, blind: list[Candidate], image: Situation) -> None:
        it = policy(candidates=[blind[1], blind[2], blind[2]], default="large")
        with pytest.raises(NoCapableModel, match="takes no image"):
            it.choose(0, image)


class TestSticky:
    def test_a_conversation_stays_where_that_suffices(self, choose: Any, policy: Any, route: Any, models: Any) -> None:
        threshold = {"pick": "threshold", "strong": "large", "weak": "code", "at": 0.5}
        it = policy(route(models[1:], options=threshold))
        easy, hard = (Signal("difficulty", "", 1.0, number=number) for number in (0.2, 0.8))
        held = choose(easy, it=it, previous="large")
        assert (names(held), held.sticky) == (["large", "code", "small"], "held")
        assert held.why.endswith("; the conversation stays with large; so large")
        yielded = choose(hard, it=it, previous="code")
        assert (names(yielded), yielded.sticky) == (["large", "code", "small"], "yielded")
        assert choose(easy, it=it).sticky == ""

    def test_it_never_stays_with_a_model_that_is_not_cleared(
        self, choose: Any, policy: Any, route: Any, model: Any
    ) -> None:
        pool = [model("a"), model("small", clearance=1)]
        choice = choose(
            it=policy(route(pool, options={"pick": "hash", "by": "request"}), candidates=pool), tier=1, previous="a"
        )
        assert (names(choice), choice.sticky) == (["small"], "yielded")


class TestThink:
    @pytest.mark.parametrize(
        ("gate", "signal", "thinks"),
        [
            (None, Signal("reasoning", "yes", 0.9, frozenset({"yes"})), None),
            (Think.ON, Signal("reasoning", "no", 0.9), True),
            (Think.OFF, Signal("reasoning", "yes", 0.9, frozenset({"yes"})), False),
            (Think.AUTO, Signal("reasoning", "yes", 0.9, frozenset({"yes"}), 0.9), True),
            (Think.AUTO, Signal("reasoning", "no", 0.9, number=0.1), False),
            (Think.AUTO, Signal("reasoning", "", 0.0, absent="timeout"), None),
            (Think.AUTO, Signal("reasoning", "no", 0.0, number=0.0), None),  # there was nothing to read
        ],
    )
    def test_it_says_so_only_where_it_is_known(self, gate: Think | None, signal: Signal, thinks: bool | None) -> None:
        assert think(Edits(think=gate), {"reasoning": signal}.__getitem__) is thinks


def draw_models(data: st.DataObject, model: Any) -> list[Candidate]:
    """Seven, cleared for any tier, each able to serve or not; what strategies need is stated."""
    able = st.sampled_from([None, frozenset[Modality](), frozenset({Modality.IMAGE})])
    return [
        model(
            name,
            clearance=data.draw(st.integers(0, 3)),
            modalities=data.draw(able),
            window=data.draw(st.sampled_from([None, 500, 5000])),
            quality={"": data.draw(st.floats(0, 1))},
            ttft_ms=1.0,
            tokens_per_second=1.0,
        )
        for name in "tuvwxyz"
    ]


class TestLaws:
    @given(st.data())
    def test_no_path_leads_to_a_model_that_is_not_cleared(
        self, logic: Any, policy: Any, model: Any, situation: Any, data: st.DataObject
    ) -> None:
        """Through no rule, strategy, percentage, shadow, default, memory, or end of the chain."""
        pool = draw_models(data, model)
        tier = data.draw(st.integers(0, 3))
        default = data.draw(st.sampled_from("tuvwxyz"))
        it = replace(
            policy(candidates=pool, default=default),
            routes=data.draw(logic.routes(pool)),
            fallback=data.draw(logic.fallbacks(pool)),
        )
        request = situation(
            signal=data.draw(logic.worlds(absent=True)).__getitem__,
            keys=data.draw(st.dictionaries(st.sampled_from(["request", "header:x-tenant"]), st.text(min_size=1))),
            modalities=data.draw(st.sampled_from([frozenset[Modality](), frozenset({Modality.IMAGE})])),
        )
        try:
            choice = it.choose(tier, request, data.draw(st.none() | st.sampled_from("tuvwxyz")))
        except NoEligibleModel:
            assert all(candidate.clearance < tier for candidate in pool)
            return
        except NoCapableModel:
            return
        assert choice.chain
        assert all(candidate.clearance >= tier for candidate in choice.chain)
        assert set(names(choice)) <= it.allowed(tier, request).kept.keys()
        assert len(set(names(choice))) == len(choice.chain)
        assert choice.cascade is None or len(choice.chain) > 1
        for told in choice.shadow:
            model_told = told.partition("=")[2]
            assert model_told == "default" or it.candidates[model_told].clearance >= tier

    @given(st.data())
    def test_what_is_absent_leads_to_the_same_models_or_to_the_default(
        self, logic: Any, policy: Any, model: Any, situation: Any, data: st.DataObject
    ) -> None:
        pool = [model(name, quality={"": 0.6}, ttft_ms=1.0, tokens_per_second=1.0) for name in "tuvwxyz"]
        it = replace(policy(candidates=pool, default="z"), routes=data.draw(logic.routes(pool)))
        world = data.draw(logic.worlds(absent=True))
        full = data.draw(logic.fill(world, State.ABSENT))
        previous = data.draw(st.none() | st.sampled_from("tuvwxyz"))
        blind, seeing = (it.choose(0, situation(signal=said.__getitem__), previous) for said in (world, full))
        if blind.reason is Reason.SHED:
            assert names(blind) == ["z"]
        else:
            assert (blind.chain, blind.rule, blind.reason) == (seeing.chain, seeing.rule, seeing.reason)

    @given(st.data())
    def test_a_decision_is_reached_in_one_round_at_most(
        self, logic: Any, policy: Any, model: Any, situation: Any, data: st.DataObject
    ) -> None:
        pool = [model(name, quality={"": 0.6}, ttft_ms=1.0, tokens_per_second=1.0) for name in "tuvwxyz"]
        it = replace(policy(candidates=pool, default="z"), routes=data.draw(logic.routes(pool)))
        world = data.draw(logic.worlds(absent=True, pending=True))
        first = it.choose(0, situation(signal=world.__getitem__))
        if isinstance(first, frozenset):
            answered = world | {name: data.draw(logic.values(name) | st.just(logic.absent(name))) for name in first}
            assert isinstance(it.choose(0, situation(signal=answered.__getitem__)), Choice)
