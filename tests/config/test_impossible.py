from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config.impossible import impossible
from extproc_router.config.when import Comparison
from extproc_router.signals.base import Cost
from extproc_router.signals.head import Head
from extproc_router.signals.plain import FLAG, Plain, fact
from extproc_router.types import Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader

KNOWN = frozenset({"math", "law", "computer science"})


def plain(known: frozenset[str] | None, *, numeric: bool) -> Plain:
    return Plain("x", Cost.TEXT, lambda _: fact("x", ()), known=known, numeric=numeric)


LABELS, NUMBER, BOTH, OPEN = (
    plain(KNOWN, numeric=False),
    plain(frozenset(), numeric=True),
    plain(FLAG, numeric=True),
    plain(None, numeric=False),
)
PROBABILITY = Head(
    "x", "x", lambda _: (), lambda _: Signal("x", "", 1.0), Signal("x", "", 0.0), known=FLAG, numeric=True
)


def found(value: Any, reader: Reader) -> list[str]:
    if isinstance(value, dict):
        value = Comparison.model_validate(value)
    if isinstance(value, Comparison):
        written = value
    elif isinstance(value, bool):
        written = Comparison()
    elif isinstance(value, str | list):
        written = Comparison(any_of=[value] if isinstance(value, str) else value)
    else:
        written = Comparison(at_least=value, at_most=value)
    return [f"{'.'.join(map(str, path))}: {message}" for path, message in impossible(value, written, reader)]


@pytest.mark.parametrize(
    ("value", "reader"),
    [
        (True, LABELS),
        (False, LABELS),
        ("math", LABELS),
        (["math", "law"], LABELS),
        ({"none_of": ["law"], "any_of": ["math", "law"], "confidence": 0.5}, LABELS),
        (3, NUMBER),
        ({"above": 1, "at_least": 2, "below": 9, "at_most": 5}, NUMBER),
        ({"at_least": 2, "at_most": 2}, NUMBER),
        ({"above": 0.2, "any_of": ["yes"], "confidence": 0.5}, BOTH),
        (True, BOTH),
        ("whatever", OPEN),
        (False, OPEN),
        ({"at_least": 0, "at_most": 1}, PROBABILITY),
    ],
)
def test_what_can_be_is_not_complained_of(value: Any, reader: Reader) -> None:
    assert found(value, reader) == []


@pytest.mark.parametrize(
    ("value", "reader", "says"),
    [
        ({}, LABELS, ": an empty test"),
        (0.5, PROBABILITY, ": 'x' is hardly ever exactly that: compare it, e.g. {at_least: 0.5}"),
        ({"confidence": 0.5}, LABELS, ": an empty test"),
        ({"above": 1}, LABELS, ": 'x' is no number: it has labels: computer science, law, math"),
        (3, OPEN, ": 'x' is no number: it has labels"),
        (True, NUMBER, ": 'x' is a number: compare it, such as {above: 0.5}"),
        ("high", NUMBER, ": 'x' is a number: compare it, such as {above: 0.5}"),
        ("maths", LABELS, ": 'x' has no label 'maths' (did you mean 'math'?)"),
        (["math", "art"], LABELS, "1: 'x' has no label 'art': computer science, law, math"),
        ({"none_of": ["law", "laws"]}, LABELS, "none_of.1: 'x' has no label 'laws' (did you mean 'law'?)"),
        ({"above": 2, "below": 1}, NUMBER, ": no number is above 2 and below 1 at once"),
        ({"above": 1, "at_most": 1}, NUMBER, ": no number is above 1 and at most 1 at once"),
        ({"at_least": 1, "above": 1, "at_most": 1}, NUMBER, ": no number is above 1 and at most 1 at once"),
        ({"any_of": ["law"], "none_of": ["law", "math"]}, LABELS, ": asks for 'law', and for the opposite"),
        ({"all_of": ["law", "math"], "none_of": ["law"]}, OPEN, ": asks for 'law', and for the opposite"),
        ({"above": 1, "confidence": 0.5}, BOTH, "confidence: only for labels, and none is asked for"),
        ({"at_least": 70}, PROBABILITY, "at_least: 'x' is in [0, 1]"),
        (70, PROBABILITY, ": 'x' is in [0, 1]"),
    ],
)
def test_what_cannot_is_told_where_it_stands(value: Any, reader: Reader, says: str) -> None:
    assert found(value, reader) == [says]


def test_a_bare_no_is_norwegian_only_in_quotes() -> None:
    norwegian = plain(frozenset({"no", "da"}), numeric=False)
    assert found("no", norwegian) == []
    [said] = found(False, norwegian)
    assert "put it in quotes" in said


def test_long_lists_of_labels_are_cut() -> None:
    [said] = found("zzz", plain(frozenset(f"label-{number:03}" for number in range(100)), numeric=False))
    assert said.endswith("label-019, ...")
