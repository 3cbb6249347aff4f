from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import ModelNotAllowed, ModelNotFound, NoEligibleModel
from extproc_router.policy.engine import Policy
from extproc_router.types import Candidate, Reason, Signal


def candidate(name: str, clearance: int = 0) -> Candidate:
    return Candidate(name, f"on-{name}", name, 1.0, 2.0, clearance)


def policy(*candidates: Candidate, default: str = "small", floor: float = 0.4) -> Policy:
    models = candidates or (candidate("small", 1), candidate("large"), candidate("code"))
    return Policy(
        candidates={model.name: model for model in models},
        auto=frozenset({"", "auto"}),
        tiers=("public", "restricted"),
        domains={"math": "large", "computer science": "code"},
        default=default,
        confidence_floor=floor,
    )


def domain(label: str, confidence: float) -> Signal:
    return Signal("domain", label, confidence)


def test_auto_names_leave_the_choice_to_us() -> None:
    assert policy().is_auto("auto")
    assert policy().is_auto("")
    assert not policy().is_auto("small")


def test_a_named_model_is_taken_at_its_word() -> None:
    choice = policy().named("large", 0)
    assert (choice.candidate.name, choice.reason) == ("large", Reason.NAMED)


def test_an_unknown_model_is_named_in_the_refusal() -> None:
    with pytest.raises(ModelNotFound, match="gpt-9"):
        policy().named("gpt-9", 0)


def test_a_named_model_that_is_not_cleared_is_refused_and_not_replaced() -> None:
    with pytest.raises(ModelNotAllowed, match="restricted"):
        policy().named("large", 1)


def test_a_sure_domain_goes_by_its_rule() -> None:
    choice = policy().by_domain(domain("math", 0.9), 0)
    assert (choice.candidate.name, choice.reason) == ("large", Reason.DOMAIN)
    assert choice.why == "math (0.90) goes to large"


def test_at_the_floor_is_sure_and_below_it_is_not() -> None:
    assert policy().by_domain(domain("math", 0.4), 0).reason is Reason.DOMAIN
    below = policy().by_domain(domain("math", 0.399), 0)
    assert (below.candidate.name, below.reason) == ("small", Reason.LOW_CONFIDENCE)


def test_a_domain_without_a_rule_goes_to_the_default() -> None:
    choice = policy().by_domain(domain("history", 0.9), 0)
    assert (choice.candidate.name, choice.reason) == ("small", Reason.NO_RULE)


def test_a_restricted_request_stays_within_its_clearance() -> None:
    choice = policy().by_domain(domain("math", 0.9), 1)
    assert (choice.candidate.name, choice.reason) == ("small", Reason.PRIVACY)


def test_where_the_default_is_not_cleared_either_the_first_that_is_serves() -> None:
    models = (candidate("small"), candidate("large"), candidate("vault", 1), candidate("vault2", 1), candidate("code"))
    assert policy(*models).fall_back(Reason.SHED, "shed", 1).candidate.name == "vault"


def test_nothing_cleared_is_a_stated_refusal() -> None:
    with pytest.raises(NoEligibleModel):
        policy(candidate("small"), candidate("large"), candidate("code")).fall_back(Reason.SHED, "shed", 1)


@given(
    clearances=st.lists(st.integers(0, 3), min_size=3, max_size=8),
    label=st.sampled_from(["math", "computer science", "history"]),
    confidence=st.floats(0, 1),
    tier=st.integers(0, 3),
    shed=st.booleans(),
)
def test_no_path_leads_to_a_model_that_is_not_cleared(
    *, clearances: list[int], label: str, confidence: float, tier: int, shed: bool
) -> None:
    names = ["small", "large", "code", *(f"m{i}" for i in range(len(clearances)))]
    models = [candidate(name, clearance) for name, clearance in zip(names, clearances, strict=False)]
    it = policy(*models)
    it = Policy(it.candidates, it.auto, ("a", "b", "c", "d"), it.domains, it.default, it.confidence_floor)
    try:
        choice = it.fall_back(Reason.SHED, "shed", tier) if shed else it.by_domain(domain(label, confidence), tier)
    except NoEligibleModel:
        assert all(model.clearance < tier for model in models)
    else:
        assert choice.candidate.clearance >= tier
