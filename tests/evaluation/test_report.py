from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import drift, heads, many, report, routing
from extproc_router.evaluation.head_rows import Answers
from extproc_router.evaluation.histograms import Histograms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.evaluation.outcomes import Outcomes


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_pair(noisy: Callable[..., Outcomes], make: Callable[..., Outcomes], tmp_path: Path) -> None:
    rows = noisy(300)
    priced = make(
        *rows.quality.T,
        costs=np.random.default_rng(0).uniform([0, 2], [1, 3], size=(300, 2)),
        groups=rows.groups,
        group_names=rows.group_names,
    )
    found = routing.evaluate(priced, {}, strong="strong", weak="weak", bootstrap=20)
    html = report.write_routing(found, tmp_path / "out", "rows.jsonl").read_text()
    assert files(tmp_path / "out") == ["costs.png", "frontier.png", "report.html"]
    assert html.count("<svg") == 2
    for expected in ("group-mean", "By group", "hard", "always-strong", "rows.jsonl: 300 rows"):
        assert expected in html
    again = report.write_routing(found, tmp_path / "again", "rows.jsonl").read_text()
    assert again == html


@pytest.mark.parametrize("known", [True, False])
def test_many_models(make: Callable[..., Outcomes], tmp_path: Path, known: bool) -> None:
    rows = make([0, 0, 1, 1], [1, 1, 1, 0], costs=np.tile([1.0, 5.0], (4, 1)) if known else None)
    report.write_many(many.evaluate(rows, {}, bootstrap=20), tmp_path, "s")
    assert files(tmp_path) == (["frontier.png", "report.html"] if known else ["models.png", "report.html"])


def test_heads(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    probs = generator.dirichlet([1, 1], size=80)
    answers = Answers(
        ("a", "b"), generator.integers(2, size=80), probs, ("web",) * 80, np.full(80, 99), interrupted=False
    )
    html = report.write_heads(heads.evaluate(answers, bootstrap=20), tmp_path, "s").read_text()
    assert files(tmp_path) == ["confusion.png", "reliability.png", "report.html"]
    assert "64-255 characters" in html


def test_drift(tmp_path: Path) -> None:
    before, after = Histograms(rows=100), Histograms(rows=100)
    for number in range(100):
        before.add_label("domain label", "a")
        after.add_label("domain label", "b")
        before.add_millis("decision", 1 + number)
        after.add_millis("decision", 2 + number)
    html = report.write_drift(drift.compare(before, after), tmp_path, "a -> b").read_text()
    assert files(tmp_path) == ["drift.png", "latency-decision.png", "report.html"]
    assert "measure the frontier again" in html


def test_an_unwritable_place_is_named(make: Callable[..., Outcomes], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = routing.evaluate(make([0, 1], [1, 1]), {}, strong="strong", weak="weak", bootstrap=0)
    with pytest.raises(StartupError, match="file"):
        report.write_routing(found, tmp_path / "file" / "out", "s")
