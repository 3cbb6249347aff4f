from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.cases import readings
from extproc_router.cases.schema import Reading

if TYPE_CHECKING:
    from extproc_router.router import Router


def signal(router: Router, name: str, value: Any) -> Any:
    [given] = readings.given({name: value}, router.terms.readers)
    return given.signal


@pytest.mark.parametrize(
    ("name", "value", "label", "labels", "number"),
    [
        ("jailbreak", True, "yes", {"yes"}, 1.0),
        ("jailbreak", False, "no", set(), 0.0),
        ("stream", True, "yes", {"yes"}, None),
        ("difficulty", 0.25, "0.25", set(), 0.25),
        ("domain", "math", "math", {"math"}, None),
        ("pii", ["US_SSN", "CREDIT_CARD"], "CREDIT_CARD+US_SSN", {"CREDIT_CARD", "US_SSN"}, None),
        ("jailbreak", Reading(label=True, number=0.7), "yes", {"yes"}, 0.7),
        ("domain", [], "none", set(), None),
    ],
)
def test_each_shape_is_a_signal(
    router: Router, name: str, value: Any, label: str, labels: set[str], number: float | None
) -> None:
    told = signal(router, name, value)
    assert (told.name, told.label, told.labels, told.number, told.confidence) == (name, label, labels, number, 1.0)


def test_confidence_and_absence_are_given_too(router: Router) -> None:
    assert signal(router, "domain", Reading(label="math", confidence=0.3)).confidence == 0.3
    assert signal(router, "domain", Reading(absent="timeout")).absent == "timeout"
