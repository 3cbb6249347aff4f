from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.policy.conditions import PENDING_SIGNAL, Always, Not, State
from extproc_router.policy.conditions import Test as Asks
from extproc_router.policy.guarding import guard
from extproc_router.policy.rules import Action, Safeguard
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.policy.guarding import Guarded

BLOCK, REFUSE, REDACT, RESTRICT, FLAG = Action
WORLD = {
    "yes": Signal("yes", "x", 1.0, frozenset({"x"})),
    "no": Signal("no", "", 1.0),
    "absent": Signal("absent", "", 0.0, absent="timeout"),
    "pending": PENDING_SIGNAL,
}


def rule(action: Action, when: str, **members: Any) -> Safeguard:
    """A rule that applies where the signal of this name has a label."""
    stated: dict[str, Any] = {"name": f"{action}-{when}", "signal": "yes" if action is REDACT else "", "tier": 1}
    stated["condition"] = Asks(when, truth=True, low=State.NO)
    return Safeguard(action=action, **(stated | members))


def guarded(*rules: Safeguard, tier: int = 0, world: Mapping[str, Signal] | None = None) -> Guarded:
    return guard(rules, tier, (world or WORLD).__getitem__)


class TestActions:
    @pytest.mark.parametrize("action", [BLOCK, REFUSE])
    def test_a_rule_that_answers_ends_it(self, action: Action) -> None:
        stops = rule(action, "yes")
        outcome = guarded(rule(REDACT, "no"), stops, rule(RESTRICT, "yes"))
        assert outcome.stop is stops
        assert outcome.applied == (f"{action}-yes={action}",)

    def test_redact(self) -> None:
        redacts = rule(REDACT, "yes")
        assert guarded(redacts, rule(REDACT, "no")).redact == (redacts,)

    def test_restrict_raises_the_tier_and_never_lowers_it(self) -> None:
        assert guarded(rule(RESTRICT, "yes", tier=2), rule(RESTRICT, "yes", tier=1)).tier == 2
        assert guarded(rule(RESTRICT, "yes", tier=1), tier=2).tier == 2
        assert guarded(rule(RESTRICT, "no", tier=1)).tier == 0

    def test_flag_is_told_and_does_nothing(self) -> None:
        assert guarded(rule(FLAG, "yes")) == replace(guarded(), applied=("flag-yes=flag",))

    def test_all_that_apply_do(self) -> None:
        outcome = guarded(rule(REDACT, "yes"), rule(RESTRICT, "yes"), rule(FLAG, "yes"))
        assert outcome.applied == ("redact-yes=redact", "restrict-yes=restrict", "flag-yes=flag")


class TestAbsent:
    @pytest.mark.parametrize("action", [BLOCK, REFUSE, REDACT])
    def test_a_strict_rule_holds_the_request_back(self, action: Action) -> None:
        missed = rule(action, "absent")
        outcome = guarded(missed, rule(FLAG, "yes"))
        assert outcome.unchecked is missed
        assert outcome.stop is None

    def test_a_strict_rule_that_restricts_restricts(self) -> None:
        outcome = guarded(rule(RESTRICT, "absent"))
        assert (outcome.tier, outcome.unchecked) == (1, None)
        assert outcome.applied == ("restrict-absent=restrict",)

    def test_a_label_below_its_floor_restricts_as_well(self) -> None:
        world = {"unsure": Signal("unsure", "x", 0.3, frozenset({"x"}))}
        for condition in (Asks("unsure", truth=True, floor=0.5), Not(Asks("unsure", truth=True, floor=0.5))):
            assert guarded(rule(RESTRICT, "unsure", condition=condition), world=world).tier == 1
        not_strict = rule(RESTRICT, "unsure", condition=Asks("unsure", truth=True, floor=0.5), strict=False)
        assert guarded(not_strict, world=world).tier == 0

    @pytest.mark.parametrize("action", list(Action))
    def test_one_that_is_not_strict_does_not_apply(self, action: Action) -> None:
        assert guarded(rule(action, "absent", strict=False)) == guarded()

    def test_a_flag_is_no_reason_to_hold_anything_back(self) -> None:
        assert guarded(rule(FLAG, "absent")) == guarded()

    def test_a_rule_that_stops_goes_before_one_that_could_not_be_decided(self) -> None:
        assert guarded(rule(BLOCK, "absent"), rule(REFUSE, "yes")).stop == rule(REFUSE, "yes")

    def test_personal_data_that_could_not_be_found_cannot_be_taken_out(self) -> None:
        """Whatever the condition says: a tenant may want it for all that it sends."""
        blind = rule(REDACT, "yes", signal="absent")
        assert guarded(blind).unchecked is blind
        assert guarded(rule(REDACT, "yes", signal="absent", strict=False)).redact == ()
        assert guarded(rule(REDACT, "no", signal="absent")) == guarded()


class TestPending:
    def test_a_block_that_needs_no_encoder_never_waits_for_one(self) -> None:
        outcome = guarded(rule(BLOCK, "pending"), rule(REDACT, "pending"), rule(REFUSE, "yes"))
        assert outcome.stop == rule(REFUSE, "yes")

    def test_everything_that_is_needed_is_asked_for_at_once(self) -> None:
        world = WORLD | {"other": PENDING_SIGNAL, "names": PENDING_SIGNAL}
        rules = (rule(BLOCK, "pending"), rule(RESTRICT, "other"), rule(REDACT, "yes", signal="names"))
        assert guarded(*rules, world=world).pending == {"pending", "other", "names"}

    def test_a_redaction_that_may_come_asks_with_its_condition(self) -> None:
        world = WORLD | {"names": PENDING_SIGNAL}
        assert guarded(rule(REDACT, "pending", signal="names"), world=world).pending == {"pending", "names"}
        assert guarded(rule(REDACT, "no", signal="names"), world=world).pending == frozenset()

    def test_nothing_is_unchecked_before_all_is_read(self) -> None:
        outcome = guarded(rule(BLOCK, "absent"), rule(BLOCK, "pending"))
        assert outcome.unchecked is None
        assert outcome.pending == {"pending"}


def test_a_shadow_is_told_and_does_nothing() -> None:
    outcome = guarded(*(rule(action, "yes", shadow=True) for action in Action), rule(BLOCK, "absent", shadow=True))
    assert outcome.shadow == tuple(f"{action}-yes={action}" for action in Action)
    assert replace(outcome, shadow=()) == guarded()


class TestLaws:
    @given(st.data())
    def test_what_is_absent_can_only_make_it_stricter(self, logic: Any, data: st.DataObject) -> None:
        """Against every value that the absent signals could have had."""
        rules = data.draw(logic.safeguards(strict=True))
        world = data.draw(logic.worlds(absent=True))
        full = data.draw(logic.fill(world, State.ABSENT))
        blind, seeing = guarded(*rules, world=world), guarded(*rules, world=full)
        goes_on = blind.stop is None and blind.unchecked is None
        if goes_on:
            assert seeing.stop is None
            assert seeing.unchecked is None
            assert blind.tier >= seeing.tier
            assert set(map(id, blind.redact)) >= set(map(id, seeing.redact))
        if blind.stop is not None:
            assert seeing.stop is not None

    @given(st.data())
    def test_it_is_settled_when_what_was_pending_is_answered(self, logic: Any, data: st.DataObject) -> None:
        rules = data.draw(logic.safeguards())
        world = data.draw(logic.worlds(absent=True, pending=True))
        first = guarded(*rules, world=world)
        answered = world | {name: data.draw(logic.values(name) | st.just(logic.absent(name))) for name in first.pending}
        second = guarded(*rules, world=answered)
        assert not second.pending
        assert second.tier >= first.tier >= 0
        if first.stop is not None:
            assert not first.pending
            assert second == first

    @given(st.data())
    def test_what_stops_before_the_encoder_was_asked_stops_whatever_it_says(
        self, logic: Any, data: st.DataObject
    ) -> None:
        rules = data.draw(logic.safeguards())
        world = data.draw(logic.worlds(absent=True, pending=True))
        full = data.draw(logic.fill(world, State.PENDING))
        if guarded(*rules, world=world).stop is not None:
            assert guarded(*rules, world=full).stop is not None

    @given(st.data(), st.integers(0, 3))
    def test_no_tier_is_lowered_and_shadows_change_nothing(self, logic: Any, data: st.DataObject, tier: int) -> None:
        rules = data.draw(logic.safeguards())
        world = data.draw(logic.worlds(absent=True))
        outcome = guarded(*rules, world=world, tier=tier)
        assert outcome.tier >= tier
        real = guarded(*(one for one in rules if not one.shadow), world=world, tier=tier)
        for member in ("tier", "stop", "unchecked", "redact", "applied"):
            assert getattr(outcome, member) == getattr(real, member)


def test_a_rule_without_a_condition_applies_to_all() -> None:
    always = Safeguard("all", Always(), RESTRICT, tier=1)
    assert guarded(always).tier == 1
