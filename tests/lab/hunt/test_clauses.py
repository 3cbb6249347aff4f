"""The hunt's own reading of a condition, by tables; `test_truths` holds it against the engine's."""

from __future__ import annotations

import pytest

from extproc_router.lab.hunt.clauses import ABSENT, NEVER, OPEN, SURELY, Every, Isnt, Says, Some, Truth, sources, weigh
from extproc_router.lab.hunt.clauses import written as write

WORLD = {
    "x": Truth(frozenset({"x"}), 0.9, 0.9),
    "weak": Truth(frozenset({"x"}), 0.2, 0.2),
    "none": Truth(),
    "gone": ABSENT,
}


def holds(clause: object, *, narrows: bool = True) -> tuple[bool, bool]:
    return weigh(clause, WORLD.__getitem__, narrows=narrows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("says", "bounds"),
    [
        (Says("x", any_of=("x", "y")), SURELY),
        (Says("x", all_of=("x", "y")), NEVER),
        (Says("x", none_of=("y",)), SURELY),
        (Says("x", none_of=("x",)), NEVER),
        (Says("x", flag=True), SURELY),
        (Says("none", flag=True), NEVER),
        (Says("none", flag=False), SURELY),
        (Says("x", at_least=0.9), SURELY),
        (Says("x", below=0.9), NEVER),
        (Says("none", at_least=0.0), NEVER),
        (Says("gone", flag=True), OPEN),
        (Says("gone", at_least=0.5), OPEN),
        (Says("x", any_of=("x",), at_least=0.95), NEVER),
    ],
)
def test_one_signal(says: Says, bounds: tuple[bool, bool]) -> None:
    assert holds(says) == bounds


@pytest.mark.parametrize(
    ("says", "narrowing", "guarding"),
    [
        (Says("weak", floor=0.5, any_of=("x",)), OPEN, NEVER),
        (Says("weak", floor=0.5, none_of=("x",)), OPEN, SURELY),
        # Who writes a confidence says what is sure enough.
        (Says("weak", floor=0.5, any_of=("x",), confidence=0.5), NEVER, NEVER),
        (Says("weak", floor=0.5, any_of=("x",), confidence=0.1), SURELY, SURELY),
        (Says("weak", floor=0.5, at_least=0.1), SURELY, SURELY),
    ],
)
def test_a_label_below_its_floor_is_open_to_what_restricts_alone(
    says: Says, narrowing: tuple[bool, bool], guarding: tuple[bool, bool]
) -> None:
    assert holds(says) == narrowing
    assert holds(says, narrows=False) == guarding
    assert holds(Isnt(says)) == (not narrowing[1], not narrowing[0])


def test_several_parts() -> None:
    yes, no, maybe = Says("x", flag=True), Says("none", flag=True), Says("gone", flag=True)
    assert holds(Every((yes, maybe))) == OPEN
    assert holds(Every((no, maybe))) == NEVER
    assert holds(Some((yes, maybe))) == SURELY
    assert holds(Some((no, maybe))) == OPEN
    assert holds(Isnt(maybe)) == OPEN
    assert [*sources(Every((yes, Isnt(Some((no, maybe))))))] == ["x", "none", "gone"]


def test_what_is_written() -> None:
    assert write(Says("a", any_of=("x",))) == {"a": "x"}
    assert write(Says("a", any_of=("x", "y"))) == {"a": ["x", "y"]}
    assert write(Says("a", flag=False)) == {"a": False}
    assert write(Says("a", none_of=("x",), confidence=0.5)) == {"a": {"none_of": ["x"], "confidence": 0.5}}
    assert write(Isnt(Every((Says("a", at_least=2.0), Some((Says("b", flag=True),)))))) == {
        "not": {"all": [{"a": {"at_least": 2.0}}, {"any": [{"b": True}]}]}
    }
