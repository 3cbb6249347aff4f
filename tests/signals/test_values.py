from __future__ import annotations

import pytest

from extproc_router.signals import values
from extproc_router.types import Signal


def compiled(**options: object) -> values.Values:
    return values.compiled("tier", values.ValueOptions.model_validate(options))


@pytest.mark.parametrize(
    ("options", "given", "label", "labels"),
    [
        ({}, [], "none", set()),
        ({}, [""], "none", set()),
        ({}, ["secret", "other"], "set", {"secret", "other"}),
        ({"values": ["gold", "Silver"]}, ["gold"], "gold", {"gold"}),
        ({"values": ["gold", "Silver"]}, ["silver"], "set", set()),
        ({"values": ["gold", "Silver"], "ignore_case": True}, ["SILVER", "gold"], "Silver+gold", {"Silver", "gold"}),
        ({"values": ["gold"]}, ["gold", "secret"], "gold+set", {"gold"}),
    ],
)
def test_only_listed_values_are_shown(
    options: dict[str, object], given: list[str], label: str, labels: set[str]
) -> None:
    assert compiled(**options).signal(given) == Signal("tier", label, 1.0, frozenset(labels))


def test_case_is_ignored_only_of_values_that_are_listed() -> None:
    with pytest.raises(ValueError, match="`ignore_case` needs `values`"):
        compiled(ignore_case=True)


def test_labels_can_be_listed_where_values_are() -> None:
    assert compiled().known is None
    assert compiled(values=["a", "B"], ignore_case=True).known == frozenset({"a", "B"})


def test_more_values_than_anybody_needs_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 64 values"):
        compiled().signal(map(str, range(65)))
    assert len(compiled().signal(map(str, range(64))).labels) == 64
