from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config.conditions import Conditions
from extproc_router.config.when import When
from extproc_router.policy import conditions as policy
from extproc_router.policy.conditions import All, Always, AnyOf, Condition, State
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, fact
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping


def reader(
    name: str, cost: Cost = Cost.FACT, known: frozenset[str] | None = None, *, numeric: bool = True, floor: float = 0.0
) -> Plain:
    return Plain(name, cost, lambda _: fact(name, ()), known=known, numeric=numeric, floor=floor)


READERS = {
    "cheap": reader("cheap"),
    "text": reader("text", Cost.TEXT),
    "domain": reader("domain", Cost.ENCODER, frozenset({"math", "law"}), numeric=False, floor=0.5),
    "judge": reader("judge", Cost.MODEL, frozenset({"a"}), numeric=False),
}


def compiled(
    written: Any, *, guards: bool = False, narrows: bool = False, lacking: Mapping[str, str] | None = None
) -> tuple[Condition, dict[str, str]]:
    """The condition, and what was complained of by field."""
    complaints: dict[str, str] = {}

    def complain(path: tuple[str | int, ...], message: str) -> None:
        complaints[".".join(map(str, path))] = message

    conditions = Conditions(READERS, lacking or {}, complain)
    when = None if written is None else When.model_validate(written)
    return conditions.compile(when, ("when",), guards=guards, narrows=narrows), complaints


def state(written: Any, signal: Signal, *, guards: bool = False, narrows: bool = False) -> State:
    return compiled(written, guards=guards, narrows=narrows)[0].state(lambda _: signal)


def labelled(*labels: str, confidence: float = 1.0, number: float | None = None) -> Signal:
    return Signal("x", "x", confidence, frozenset(labels), number)


def test_no_condition_always_holds() -> None:
    assert compiled(None) == (Always(), {})


@pytest.mark.parametrize(
    ("test", "yes", "no"),
    [
        (True, labelled("a"), labelled()),
        (False, labelled(), labelled("a")),
        ("a", labelled("a", "b"), labelled("b")),
        (["a", "c"], labelled("c"), labelled("b")),
        (3, labelled(number=3), labelled(number=3.1)),
        ({"above": 3}, labelled(number=3.1), labelled(number=3)),
        ({"at_least": 3}, labelled(number=3), labelled(number=2.9)),
        ({"below": 3}, labelled(number=2.9), labelled(number=3)),
        ({"at_most": 3}, labelled(number=3), labelled(number=3.1)),
        ({"at_least": 1, "below": 2}, labelled(number=1), labelled(number=2)),
        ({"any_of": ["a", "b"]}, labelled("b"), labelled("c")),
        ({"all_of": ["a", "b"]}, labelled("a", "b", "c"), labelled("a")),
        ({"none_of": ["a", "b"]}, labelled("c"), labelled("a", "c")),
        ({"any_of": ["a", "b"], "none_of": ["b"]}, labelled("a"), labelled("a", "b")),
        ({"any_of": ["a"], "above": 1}, labelled("a", number=2), labelled("a", number=1)),
    ],
)
def test_each_test_means_what_it_says(test: Any, yes: Signal, no: Signal) -> None:
    assert state({"cheap": test}, yes) is State.YES
    assert state({"cheap": test}, no) is State.NO
    assert state({"not": {"cheap": test}}, yes) is State.NO
    assert state({"not": {"cheap": test}}, no) is State.YES


def test_several_members_all_have_to_hold() -> None:
    condition, complaints = compiled({"domain": "math", "text": {"above": 1}, "cheap": True, "any": [{"cheap": "a"}]})
    assert complaints == {}
    assert isinstance(condition, All)
    assert [sorted(part.names) for part in condition.parts] == [["cheap"], ["cheap"], ["text"], ["domain"]], (
        "the cheapest first"
    )


def test_alternatives_are_cheapest_first_too() -> None:
    condition, _ = compiled(
        {"any": [{"domain": "math"}, {"all": [{"text": True}, {"domain": "law"}]}, {"cheap": True}]}
    )
    assert isinstance(condition, AnyOf)
    assert [sorted(part.names) for part in condition.parts] == [["cheap"], ["domain"], ["domain", "text"]]


def test_one_part_needs_no_joining() -> None:
    assert isinstance(compiled({"all": [{"any": [{"cheap": True}]}]})[0], policy.Test)


@pytest.mark.parametrize("test", ["math", ["math"], {"any_of": ["math"]}, {"none_of": ["law"]}, True])
def test_labels_below_the_signal_s_floor_are_open_where_routes_are_chosen_and_none_where_they_are_guarded(
    test: Any,
) -> None:
    unsure = labelled("math", confidence=0.4)
    assert state({"domain": test}, unsure) is State.LOW
    guarded = state({"domain": test}, unsure, guards=True)
    assert guarded is (State.YES if isinstance(test, dict) and "none_of" in test else State.NO)


def test_for_a_rule_that_restricts_they_are_open_unless_it_says_itself_what_is_sure_enough() -> None:
    unsure = labelled("math", confidence=0.4)
    for when in ({"domain": "math"}, {"not": {"domain": "math"}}, {"domain": {"none_of": ["law"]}}):
        assert state(when, unsure, guards=True, narrows=True) is State.LOW
    assert state({"domain": {"any_of": ["math"], "confidence": 0.5}}, unsure, guards=True, narrows=True) is State.NO
    assert state({"domain": {"any_of": ["math"], "confidence": 0.3}}, unsure, guards=True, narrows=True) is State.YES


def test_what_is_no_number_is_open_where_routes_are_chosen_and_no_where_they_are_guarded() -> None:
    assert state({"cheap": {"above": 1}}, labelled("a")) is State.LOW
    assert state({"cheap": {"above": 1}}, labelled("a"), guards=True) is State.NO
    assert state({"cheap": {"above": 1}}, labelled("a"), guards=True, narrows=True) is State.NO


def test_a_test_may_have_a_floor_of_its_own() -> None:
    unsure = labelled("math", confidence=0.4)
    assert state({"domain": {"any_of": ["math"], "confidence": 0.3}}, unsure) is State.YES
    assert state({"domain": {"any_of": ["math"], "confidence": 0.9}}, labelled("math", confidence=0.8)) is State.LOW


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({}, "when"),
        ({"not": {}}, "when.not"),
        ({"all": [{"cheap": True}, {}]}, "when.all.1"),
        ({"any": [{}]}, "when.any.0"),
    ],
)
def test_an_empty_condition_is_a_mistake(written: Any, field: str) -> None:
    _, complaints = compiled(written)
    assert list(complaints) == [field]
    assert complaints[field].startswith("an empty condition")


def test_unknown_signals_are_told_and_nothing_else_is() -> None:
    _, complaints = compiled({"not": {"domian": "x"}, "chep": True, "xyz": 3})
    assert complaints == {
        "when.not.domian": "unknown signal 'domian' (did you mean 'domain'?)",
        "when.chep": "unknown signal 'chep' (did you mean 'cheap'?)",
        "when.xyz": "unknown signal 'xyz'",
    }


def test_signals_that_could_not_be_built_are_told_with_the_reason_or_not_again() -> None:
    lacking = {"head": "the encoder artefact has no head 'head'", "broken": ""}
    _, complaints = compiled({"head": True, "broken": True}, lacking=lacking)
    assert complaints == {"when.head": "the encoder artefact has no head 'head'"}


def test_a_guard_asks_no_language_model() -> None:
    assert compiled({"any": [{"judge": "a"}]})[1] == {}
    _, complaints = compiled({"any": [{"cheap": True}, {"judge": "a"}]}, guards=True)
    assert list(complaints) == ["when.any.1.judge"]
    assert "asks a language model" in complaints["when.any.1.judge"]
