from __future__ import annotations

import pytest

from extproc_router.lab import targets
from extproc_router.lab.targets import Target


@pytest.mark.parametrize(
    ("measured", "at_least", "met"),
    [(1.0, False, True), (1.01, False, False), (1.0, True, True), (0.99, True, False)],
)
def test_the_limit_itself_is_met(measured: float, *, at_least: bool, met: bool) -> None:
    assert Target("x", 1.0, measured, "ms", at_least=at_least).met is met


def test_the_table_says_what_is_missed() -> None:
    text = targets.table([Target("quick", 1.5, 1.0, "ms"), Target("much", 2.0, 1.0, "x", at_least=True)])

    head, _, quick, much = text.splitlines()
    assert head.split() == ["TARGET", "LIMIT", "MEASURED"]
    assert quick.split() == ["quick", "≤", "1.5", "ms", "1.00", "ms", "met"]
    assert much.split() == ["much", "≥", "2", "x", "1.00", "x", "MISSED"]
    assert max(map(len, text.splitlines())) <= 100
