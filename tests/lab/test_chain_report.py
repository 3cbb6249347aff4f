from __future__ import annotations

from dataclasses import replace

import pytest

from extproc_router.lab import chain_report
from extproc_router.lab.chain_report import ChainCase, ChainFigures, DecisionCost, FirstChunk
from extproc_router.lab.chain_rig import CASES


def figures(*, added: float = 2.0, ratio: float = 1.5, stream: float = 0.1, errors: int = 0) -> ChainFigures:
    case = ChainCase("", requests=1234, errors=errors, p50_ms=5.0, p99_ms=9.0, added_p50_ms=added, ratio_p50=ratio)
    decisions = (DecisionCost("one model", 60.0), DecisionCost("chain of 3", 101.0))
    return ChainFigures(tuple(replace(case, name=name) for name in CASES), FirstChunk(3.0, 3.1, stream), decisions)


@pytest.mark.parametrize(
    ("changed", "met"),
    [
        ({}, [True, True, True]),
        ({"ratio": 3.01}, [False, True, True]),
        ({"added": 4.1}, [True, False, True]),
        ({"stream": 1.1}, [True, True, False]),
    ],
)
def test_every_target_can_be_missed(changed: dict[str, float], met: list[bool]) -> None:
    assert [target.met for target in chain_report.targets(figures(**changed))] == met  # type: ignore[arg-type]


def test_the_tables_show_everything() -> None:
    text = chain_report.tables(figures())

    assert "one model                           5.00     +2.00      1.50      9.00      1,234" in text
    assert "without a verifier 3.00 ms, beside one 3.10 ms" in text
    assert "one model 60 us, chain of 3 101 us (+41)" in text
    assert max(map(len, text.splitlines())) <= 110
    assert "failed" not in text
    assert "4 requests failed" in chain_report.tables(figures(errors=1))
