from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.policy.conditions import Always
from extproc_router.policy.rules import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.compiling import Compiled
    from extproc_router.policy.rules import Safeguard

HEAD = "models: [{name: a, cluster: c}]\nrouting: {default: a}\nprivacy_tiers: [public, internal, restricted]\n"


@pytest.fixture
def rule(compiled: Callable[[str], Compiled]) -> Callable[[str], Safeguard]:
    def compile_one(members: str) -> Safeguard:
        [safeguard] = compiled(f"{HEAD}safety:\n  - {{name: s, {members}}}\n").policy.safeguards
        return safeguard

    return compile_one


def test_a_rule_says_what_happens_and_defaults_say_the_rest(rule: Callable[[str], Safeguard]) -> None:
    blocked = rule("when: {jailbreak: true}, then: block")
    assert (blocked.name, blocked.action, blocked.strict, blocked.shadow) == ("s", Action.BLOCK, True, False)
    assert blocked.condition.names == {"jailbreak"}
    assert blocked.message
    assert blocked.message != rule("then: refuse").message
    assert rule("then: refuse, message: No.").message == "No."
    assert isinstance(rule("then: flag").condition, Always)


def test_restrict_means_the_highest_tier_unless_it_says_another(rule: Callable[[str], Safeguard]) -> None:
    assert rule("then: restrict").tier == 2
    assert rule("then: restrict, tier: internal").tier == 1
    assert rule("then: flag").tier == 0


def test_redact_means_all_types_of_pii_unless_it_says_others(rule: Callable[[str], Safeguard]) -> None:
    assert (rule("then: redact").signal, rule("then: redact").types) == ("pii", None)
    assert rule("then: redact, types: [SECRET]").types == frozenset({"SECRET"})
    assert rule("then: flag").signal == ""


def test_a_rule_may_be_told_to_skip_what_it_cannot_read(rule: Callable[[str], Safeguard]) -> None:
    assert not rule("when: {jailbreak: true}, then: block, when_absent: skip").strict
    assert rule("when: {jailbreak: true}, then: block, shadow: true").shadow


def test_the_strictest_come_first_else_the_order_of_the_file(compiled: Callable[[str], Compiled]) -> None:
    written = ["flag", "restrict", "block", "redact", "refuse", "block"]
    rules = "".join(f"  - {{name: s{place}, then: {action}}}\n" for place, action in enumerate(written))
    names = [rule.name for rule in compiled(f"{HEAD}safety:\n{rules}").policy.safeguards]
    assert names == ["s2", "s5", "s4", "s3", "s1", "s0"]
