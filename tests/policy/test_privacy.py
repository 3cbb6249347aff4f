from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.candidates import Candidate
from extproc_router.errors import NoCapableModel, NoEligibleModel
from extproc_router.policy import privacy
from extproc_router.policy.conditions import Always
from extproc_router.policy.engine import Policy
from extproc_router.policy.rules import Cascade, Fallback, Route
from extproc_router.types import Modality, Reason

TIERS = ("public", "internal", "restricted")


@pytest.mark.parametrize(
    ("header", "rank"),
    [
        (None, 0),
        ("public", 0),
        ("internal", 1),
        ("Restricted", 2),
        ("public, restricted", 2),
        ("restricted,public", 2),
        (" internal ", 1),
        ("restrictd", 2),  # a misspelt tier may have meant the highest
        ("", 2),
        ("public,", 2),
    ],
)
def test_the_highest_tier_that_is_named_counts(header: str | None, rank: int) -> None:
    assert privacy.tier_of(header, TIERS) == rank


@given(st.lists(st.sampled_from([*TIERS, "", "unknown"]), min_size=1), st.integers(0, 5))
def test_adding_a_header_never_lowers_a_tier(names: list[str], where: int) -> None:
    fewer = names[:where] + names[where + 1 :]
    whole = privacy.tier_of(",".join(names), TIERS)
    part = privacy.tier_of(",".join(fewer), TIERS) if fewer else privacy.tier_of(None, TIERS)
    assert whole >= part


@given(st.lists(st.integers(0, 2)), st.integers(0, 2))
def test_only_cleared_candidates_are_left_in_their_order(clearances: list[int], tier: int) -> None:
    candidates = [Candidate(str(i), "c", str(i), 0, 0, clearance) for i, clearance in enumerate(clearances)]
    left = privacy.cleared(candidates, tier)
    assert [c for c in candidates if c.clearance >= tier] == list(left)


def make_policy(
    candidates: list[Candidate], routes: tuple[Route, ...], default: str, fallback: Fallback | None = None
) -> Policy:
    named = {candidate.name: candidate for candidate in candidates}
    return Policy(named, frozenset({""}), ("a", "b", "c", "d"), (), routes, default, fallback or Fallback())


class TestEmissions:
    @pytest.fixture
    def models(self, model: Any) -> list[Candidate]:
        return [model("low"), model("mid", clearance=1), model("high", clearance=2)]

    @pytest.fixture
    def emitted(self, models: list[Candidate], picker: Any) -> Any:
        def run(
            tier: int, default: str, behind: tuple[str, ...] = (), attempts: int = 3, **members: Any
        ) -> set[tuple[str, int, str]]:
            pool = tuple(models[:2])
            rule = Route("rule", Always(), pool, picker(pool, pick="static"), **members)
            found = privacy.emissions(make_policy(models, (rule,), default, Fallback(behind, attempts)), tier)
            return {(name, attempt, candidate.name) for name, attempt, candidate in found}

        return run

    def test_a_chain_is_a_rules_models_in_any_order_then_the_default(self, emitted: Any) -> None:
        chain = {entry[1:] for entry in emitted(0, "high") if entry[0] == "rule"}
        assert chain == {(1, "low"), (2, "low"), (1, "mid"), (2, "mid"), (2, "high"), (3, "high")}

    def test_what_is_not_cleared_is_never_emitted(self, emitted: Any) -> None:
        assert emitted(1, "low") == {
            ("rule", 1, "mid"),
            *((rule, 1, name) for rule in ("default", "named") for name in ("mid", "high")),
        }
        assert emitted(3, "high") == set()

    def test_the_models_of_fallback_stand_behind_rules_and_behind_the_default(self, emitted: Any) -> None:
        found = emitted(0, "low", ("low", "high"))
        assert {entry[1:] for entry in found if entry[0] == "rule" and entry[2] == "high"} == {(2, "high"), (3, "high")}
        default = {entry[1:] for entry in found if entry[0] == "default"}
        assert default == {(1, "low"), (1, "mid"), (1, "high"), (2, "high")}
        assert {attempt for rule, attempt, _ in found if rule == "named"} == {1}
        assert all(name != "low" for _, _, name in emitted(1, "mid", ("low", "high")))

    def test_no_more_are_tried_than_may_be(self, emitted: Any) -> None:
        assert max(attempt for _, attempt, _ in emitted(0, "high", attempts=2)) == 2
        assert max(attempt for _, attempt, _ in emitted(0, "high", attempts=2, cascade=Cascade())) == 3

    def test_a_cascade_tries_its_first_model_again(self, emitted: Any) -> None:
        chain = {entry[1:] for entry in emitted(0, "high", cascade=Cascade()) if entry[0] == "rule"}
        assert chain == {
            *((place, name) for place in (1, 2, 3) for name in ("low", "mid")),
            *((place, "high") for place in (2, 3, 4)),
        }

    def test_shadow_rules_send_nothing(self, emitted: Any) -> None:
        assert {rule for rule, _, _ in emitted(0, "low", shadow=True)} == {"default", "named"}

    @given(st.data())
    def test_whatever_the_engine_answers_was_foreseen(
        self, logic: Any, model: Any, situation: Any, data: st.DataObject
    ) -> None:
        names = "tuvwxyz"
        able = st.sampled_from([None, frozenset[Modality]()])
        stated = {"quality": {"": 0.5}, "ttft_ms": 1.0, "tokens_per_second": 1.0}
        pool = [
            model(name, clearance=data.draw(st.integers(0, 3)), modalities=data.draw(able), **stated) for name in names
        ]
        policy = make_policy(
            pool, data.draw(logic.routes(pool)), data.draw(st.sampled_from(names)), data.draw(logic.fallbacks(pool))
        )
        tier = data.draw(st.integers(0, 3))
        request = situation(
            signal=data.draw(logic.worlds(absent=True)).__getitem__,
            keys=data.draw(st.dictionaries(st.sampled_from(["request", "header:x-tenant"]), st.text(min_size=1))),
            modalities=data.draw(st.sampled_from([frozenset[Modality](), frozenset({Modality.IMAGE})])),
        )
        foreseen = {(rule, attempt, found.name) for rule, attempt, found in privacy.emissions(policy, tier)}
        try:
            choice = policy.choose(tier, request, data.draw(st.none() | st.sampled_from(names)))
        except (NoEligibleModel, NoCapableModel):
            return
        assert not isinstance(choice, frozenset)
        rule = choice.rule or privacy.DEFAULT
        walked = choice.chain[: policy.fallback.attempts]
        if choice.cascade and policy.fallback.attempts > 1:  # as Envoy walks it
            assert len(walked) > 1
            walked = (*walked[:2], walked[0], *walked[2:])
        chain = {(rule, place + 1, candidate.name) for place, candidate in enumerate(walked)}
        assert chain <= foreseen
        for name in names:
            if policy.candidates[name].clearance >= tier:
                named = policy.named(name, tier)
                assert named.reason is Reason.NAMED
                assert (privacy.NAMED, 1, named.chain[0].name) in foreseen
