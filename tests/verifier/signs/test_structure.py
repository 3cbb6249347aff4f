from __future__ import annotations

import pytest
from msgspec.structs import replace

from extproc_router.attempts import Called, Heard, Verification
from extproc_router.verifier.signs import structure

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 32, ("a", "b"), ((1.0, 1.0), (2.0, 2.0)))
OBJECT = replace(ASKED, json_schema="{}")
NUMBERS = replace(ASKED, json_schema='{"type": "array", "items": {"type": "number"}}')


def doubted(text: str, asked: Verification, *, early: bool = False) -> bool:
    return structure.broken_promise(Heard(text=text), asked, early)


def test_nothing_was_demanded() -> None:
    assert not doubted("Paris.", ASKED)


@pytest.mark.parametrize("text", ["{}", ' {"a": [1, null]}\n'])
def test_any_object_will_do(text: str) -> None:
    assert not doubted(text, OBJECT)


@pytest.mark.parametrize(
    "text", ["", "Paris.", "[]", '```json\n{"a": 1}\n```', '{"a": 1', '{"a": 1} Done.', "[" * 100_000]
)
def test_anything_else_will_not(text: str) -> None:
    assert doubted(text, OBJECT)


def test_the_schema_counts() -> None:
    assert not doubted("[1, 2.5]", NUMBERS)
    assert doubted('[1, "2"]', NUMBERS)
    assert doubted("{}", NUMBERS)
    assert doubted("[1, 2", NUMBERS)


def test_a_schema_that_cannot_be_compiled_demands_json() -> None:
    asked = replace(ASKED, json_schema='{"type": "nonsense"}')
    assert not doubted("[1]", asked)
    assert doubted("one", asked)


def test_a_beginning_is_judged_by_its_first_letter() -> None:
    assert not doubted('\n{"a', OBJECT, early=True)
    assert not doubted(" ", OBJECT, early=True)
    assert doubted("Sure, here", OBJECT, early=True)
    assert doubted("[", OBJECT, early=True)
    assert not doubted("[1, ", NUMBERS, early=True)
    assert doubted("Sure", NUMBERS, early=True)


def test_calls_and_refusals_are_other_promises() -> None:
    assert not structure.broken_promise(Heard(calls=(Called("f", "{}"),)), OBJECT, False)
    assert not structure.broken_promise(Heard(refusal="No."), OBJECT, False)
