from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.config.routes import TABLE
from extproc_router.policy.conditions import Always, State
from extproc_router.policy.rules import Cascade, Edits, Think
from extproc_router.types import Reason, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.compiling import Compiled

MODELS = """\
models:
  - {name: a, cluster: c}
  - {name: b, cluster: c, reasoning: enable_thinking}
"""
TABLED = f"""\
{MODELS}routing:
  default: a
  domains: {{math: b, law: a, health: b}}
"""


@pytest.fixture
def edits(compiled: Callable[[str], Compiled]) -> Callable[[str], Edits]:
    def compile_one(members: str) -> Edits:
        text = f"{MODELS}routing: {{default: a}}\nrules:\n  - {{name: r, use: b, {members}}}\n"
        [route] = compiled(text).policy.routes
        return route.edits

    return compile_one


@pytest.mark.parametrize(
    ("written", "think"),
    [
        ("on", Think.ON),
        ("yes", Think.ON),
        ("'on'", Think.ON),
        ("off", Think.OFF),
        ("'off'", Think.OFF),
        ("auto", Think.AUTO),
        ("{mode: on}", Think.ON),
        ("{mode: off}", Think.OFF),
        ("{mode: auto}", Think.AUTO),
    ],
)
def test_reasoning_is_switched_with_and_without_quotes(
    edits: Callable[[str], Edits], written: str, think: Think
) -> None:
    assert edits(f"reasoning: {written}") == Edits(think)


def test_a_gate_may_override_the_client(edits: Callable[[str], Edits]) -> None:
    assert edits("reasoning: {mode: off, override_client: true}") == Edits(Think.OFF, override=True)


def test_what_else_a_rule_changes(edits: Callable[[str], Edits]) -> None:
    assert edits("max_tokens: 5") == Edits(max_tokens=5)
    assert edits("system_prefix: Be brief.") == Edits(system_prefix="Be brief.")
    assert edits("include_usage: yes") == Edits(include_usage=True)
    assert edits("shadow: false") == Edits()


def test_a_rule_may_judge_its_first_answer(compiled: Callable[[str], Compiled]) -> None:
    rules = (
        "rules: [{name: r, use: [a, b], cascade: {accept_at: 1, first_tokens: 8}}, "
        "{name: s, use: [a, b], cascade: {}}, {name: t, use: [a, b]}]\n"
    )
    routes = compiled(f"{MODELS}routing: {{default: a}}\n{rules}").policy.routes
    assert [route.cascade for route in routes] == [Cascade(1.0, 8), Cascade(0.5, 32), None]


def test_percentages_are_sticky_by_conversation_unless_they_say(compiled: Callable[[str], Compiled]) -> None:
    rules = "rules: [{name: r, use: a, percent: 5}, {name: s, use: a, percent: 5, by: 'header:x-user', shadow: true}]\n"
    first, second = compiled(f"{MODELS}routing: {{default: a}}\n{rules}").policy.routes
    assert (first.percent, first.by, first.shadow) == (5, "conversation", False)
    assert (second.percent, second.by, second.shadow) == (5, "header:x-user", True)
    assert isinstance(first.condition, Always)


def test_the_table_of_domains_is_a_rule_for_each_model_behind_all_rules(compiled: Callable[[str], Compiled]) -> None:
    written, to_b, to_a = compiled(f"{TABLED}rules: [{{name: r, use: a, when: {{stream: true}}}}]\n").policy.routes
    assert (written.name, written.reason) == ("r", Reason.RULE)
    assert {(route.name, route.reason) for route in (to_b, to_a)} == {(TABLE, Reason.DOMAIN)}
    assert [[candidate.name for candidate in route.pool] for route in (to_b, to_a)] == [["b"], ["a"]]

    def state(label: str, confidence: float = 1.0) -> tuple[State, State]:
        signal = Signal("domain", label, confidence, frozenset({label}))
        return to_b.condition.state(lambda _: signal), to_a.condition.state(lambda _: signal)

    assert state("math") == state("health") == (State.YES, State.NO)
    assert state("law") == (State.NO, State.YES)
    assert state("computer science") == (State.NO, State.NO)
    assert state("math", 0.4) == (State.LOW, State.LOW), "the artefact's floor is 0.5"


def test_the_floor_of_the_routing_section_is_the_caller_s_to_apply(compiled: Callable[[str], Compiled]) -> None:
    assert compiled(TABLED).readers["domain"].floor == 0.5
