from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.lab.cascade_quality import report
from extproc_router.lab.cascade_quality.picking import BOTH, CASCADE, ROUTING
from extproc_router.lab.cascade_quality.policies import Policy
from extproc_router.lab.cascade_quality.study import ALWAYS_STRONG, Findings, Lead, Measured, Range

if TYPE_CHECKING:
    from pathlib import Path


def findings(*, quality: float = 1.0, cost: float = 0.4) -> Findings:
    def measured(name: str, policy: Policy, quality: float, cost: float) -> Measured:
        return Measured(name, policy, 0.8 * quality, _around(quality), _around(cost), strong=0.3, escalated=0.25)

    leads = (Lead(ROUTING, Range(0.1, 0.05, 0.15), _around(0)), Lead(CASCADE, _around(0), _around(0)))
    rows = (
        measured(ALWAYS_STRONG, Policy(), 1.0, 1.0),
        measured(BOTH, Policy(direct_from=0.75, accept_at=0.5), quality, cost),
    )
    return Findings(picked=561, measured=559, budget=0.45, auc=0.93, policies=rows, leads=leads)


def _around(value: float) -> Range:
    return Range(value, value - 0.02, value + 0.02)


def test_the_text_says_everything_and_what_was_assumed() -> None:
    text = report.text(findings())

    assert "from 561 prompts, for 45% of what strong alone costs\nmeasured on 559 others" in text
    assert report.ASSUMPTION in text
    assert "direct from 0.750, accept at 0.500" in text
    assert f"{BOTH} beside {ROUTING} alone: better; quality +0.100 (0.050 .. 0.150)" in text
    assert f"{BOTH} beside {CASCADE} alone: cannot be told apart" in text
    assert "MISSED" not in text


@pytest.mark.parametrize(("changed", "met"), [({"quality": 0.979}, [False, True]), ({"cost": 0.51}, [True, False])])
def test_each_target_can_be_missed(changed: dict[str, float], met: list[bool]) -> None:
    assert [target.met for target in report.wanted(findings(**changed))] == met


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = report.plot(findings(), tmp_path / "new")
    assert path.parent == tmp_path / "new"
    assert path.read_bytes().startswith(b"\x89PNG")
