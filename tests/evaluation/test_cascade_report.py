from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.evaluation import cascade_report, cascades, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.evaluation.outcomes import Outcomes

pytest.importorskip("matplotlib")


def test_the_page_says_the_assumption_and_shows_the_curves(make: Callable[..., Outcomes], tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    weak, strong = (generator.random((2, 400)) < np.array([[0.6], [0.9]])).astype(np.float64)
    pair = outcomes.pair(make(weak, strong, costs=np.tile([1.0, 5.0], (400, 1))), weak="weak", strong="strong")
    found = cascades.evaluate(pair, generator.random(400), predictor="<chance>", goal=0.98, rounds=2, seed=0)
    page = cascade_report.write(found, tmp_path / "out", "rows.jsonl").read_text()
    assert "Not a measurement of a verifier" in page
    assert "cascade + prediction" in page
    assert "&lt;chance&gt;" in page
    assert (tmp_path / "out" / "cascades.png").read_bytes().startswith(b"\x89PNG")
    again = cascade_report.write(found, tmp_path / "again", "rows.jsonl").read_text()
    assert again == page
