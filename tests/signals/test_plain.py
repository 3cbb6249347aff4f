from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.signals import plain
from extproc_router.signals.base import NO_ANSWERS, Cost
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import MakeSubject


def test_a_plain_signal_asks_nobody(subject: MakeSubject) -> None:
    reader = plain.Plain("loud", Cost.FACT, lambda seen: plain.flag("loud", raised="!" in seen.prompt), plain.FLAG)
    assert reader.asks(subject("hey!")) == ()
    assert reader.read(subject("hey!"), NO_ANSWERS) == Signal("loud", "yes", 1.0, frozenset({"yes"}))
    assert reader.read(subject("hey"), NO_ANSWERS) == Signal("loud", "no", 1.0)


@pytest.mark.parametrize(
    ("labels", "text"),
    [([], "none"), (["b", "a"], "a+b"), ([f"l{number}" for number in range(10)], "l0+l1+l2+l3+l4+l5+l6+l7+2 more")],
)
def test_labels_are_shown_in_order_and_not_without_end(labels: list[str], text: str) -> None:
    assert plain.fact("s", labels).label == text
    assert plain.fact("s", labels).labels == frozenset(labels)


def test_a_count_is_its_own_label() -> None:
    assert plain.count("s", 7) == Signal("s", "7", 1.0, number=7.0)
