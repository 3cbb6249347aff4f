from __future__ import annotations

import numpy as np
import pytest

from extproc_router import surface
from extproc_router.training import shipped
from extproc_router.training.data import Split
from extproc_router.training.embed import Embeddings
from extproc_router.training.recipes import RECIPES, STRONG, WEAK
from extproc_router.training.rows import LABELS, Row

SPLITS = (Split.TRAIN, Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST)
SIZE = 16
RECIPE = {recipe.name: recipe for recipe in RECIPES}


def embeddings(directions: list[int], seed: int = 0) -> Embeddings:
    """Vectors of length 1 that lean to an axis, more so at every tier."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(5, len(directions), SIZE)) / 4
    rows = np.arange(len(directions))
    for tier, lean in enumerate((0.5, 1.0, 2.0, 1.0, 2.0)):
        noise[tier, rows, directions] += lean
    noise /= np.linalg.norm(noise, axis=2, keepdims=True)
    static, *others = noise.astype(np.float32)
    texts = [f"prompt {place} " * (place % 7 + 1) for place in rows]
    return Embeddings(static, tuple(others[:2]), tuple(others[2:]), np.array([surface.read(text) for text in texts]))


def rows_of(count: int, **columns: object) -> list[Row]:
    return [
        Row(
            text=f"row {place}",
            split=SPLITS[place % len(SPLITS)],
            **{name: value(place) if callable(value) else value for name, value in columns.items()},  # type: ignore[arg-type]
        )
        for place in range(count)
    ]


def test_a_domain_head_learns_and_reports_each_source() -> None:
    rows = rows_of(
        1400, source=lambda n: ("natural", "exam")[n // 5 % 2], domain=lambda n: LABELS[n // 10 % len(LABELS)]
    )
    made = shipped.fit(RECIPE["domain"], rows, embeddings([LABELS.index(row.domain or "") for row in rows]))
    assert made.file.labels == list(LABELS)
    assert len(made.file.readings) == 3
    found = {(report.split, report.source): report.figures for report in made.reports}
    assert set(found) == {(s, n) for s in (Split.VALIDATION, Split.TEST) for n in ("all", "exam", "natural")}
    assert (found[Split.TEST, "all"]["accuracy"] or 0) > 0.9
    assert made.file.card["figures"]["test, all"] == found[Split.TEST, "all"]


@pytest.mark.parametrize("name", ["jailbreak", "reasoning"])
def test_a_flag_learns(name: str) -> None:
    source = {"jailbreak": ("own/jailbreak", "own/lookalikes"), "reasoning": ("own/reasoning", "trivia")}[name]
    rows = rows_of(800, source=lambda n: source[n // 5 % 2], **{name: lambda n: float(n // 5 % 2 == 0)})
    made = shipped.fit(RECIPE[name], rows, embeddings([place // 5 % 2 for place in range(800)]))
    assert made.file.kind == "flag"
    assert made.file.threshold is not None
    whole = next(report.figures for report in made.reports if (report.split, report.source) == (Split.TEST, "all"))
    assert (whole["AUC"] or 0) > 0.95


def test_a_pair_learns_from_our_models_and_the_stand_ins() -> None:
    rows = rows_of(
        800,
        source="half_a",
        outcomes=lambda n: {STRONG: float(n // 5 % 4 in (0, 1)), WEAK: float(n // 5 % 4 in (0, 2))},
    )
    made = shipped.fit(RECIPE["difficulty"], rows, embeddings([place // 5 % 4 for place in range(800)]))
    assert made.file.models is not None
    assert (made.file.models.strong, made.file.models.weak) == (STRONG, WEAK)
    assert made.file.surface is not None
    whole = next(report.figures for report in made.reports if (report.split, report.source) == (Split.TEST, "all"))
    assert (whole["AUC, strong better"] or 0) > 0.9


def test_test_rows_teach_nothing() -> None:
    rows = rows_of(700, source="natural", domain=lambda n: LABELS[n // 5 % len(LABELS)])
    directions = [LABELS.index(row.domain or "") for row in rows]
    swapped = [
        (place + 1) % SIZE if row.split is Split.TEST else place for place, row in zip(directions, rows, strict=True)
    ]
    one, other = (shipped.fit(RECIPE["domain"], rows, embeddings(d)).file.readings for d in (directions, swapped))
    assert one == other
