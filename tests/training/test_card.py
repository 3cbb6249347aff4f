from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from extproc_router.encoder.head_file import HeadFile, Models, Reading
from extproc_router.encoder.manifest import Geometry
from extproc_router.training import card, data, pool, prompts
from extproc_router.training.data import Split
from extproc_router.training.latency import Latency
from extproc_router.training.parity import Likeness, Parity
from extproc_router.training.shipped import Report, Shipped

if TYPE_CHECKING:
    from extproc_router.training.head_figures import Figures

READING = Reading(weights=[[0.0]], bias=[0.0], temperature=1.0, trust=None, exit_above=0.97, exit_below=0.02)
FIGURES: dict[str, Figures] = {
    "choice": {"accuracy": 0.812, "ECE": 0.031, "accuracy with tiers": 0.811, "agreement of early tiers": 0.993},
    "flag": {"AUC": 0.934, "recall at FPR 0.01": 0.71, "recall at the threshold": None},
    "pair": {"APGR": 0.687, "AUC, strong better": 0.66},
    "spans": {"F1": 0.921, "spans": 1234},
}


def head(kind: str, *, enabled: bool = True) -> Shipped:
    file = HeadFile(
        kind=kind,  # type: ignore[arg-type]
        labels=["a"],
        inputs=["mean"],
        surface=None,
        readings=[None, READING, READING],
        threshold=0.42 if kind == "flag" else None,
        confidence_floor=0.52 if kind == "choice" else 0.0,
        floor_precision=0.85,
        models=Models("dear", "cheap") if kind == "pair" else None,
        enabled=enabled,
        card={},
    )
    reports = [
        Report(split, source, {"rows judged": 1100, **FIGURES[kind]})
        for split in (Split.VALIDATION, Split.TEST)
        for source in ("exam", "all")
    ]
    return Shipped(file, reports)


OWN = [*data.OWN, *(f"prompts/{name}.jsonl" for name in prompts.NAMES), "prompts/pii_values.json"]
FACTS = card.Facts(
    name="small",
    version="0123456789ab",
    geometry=Geometry(dimension=4, vocabulary=10, max_tokens=16, head_share=0.5),
    heads={
        "domain": head("choice"),
        "jailbreak": head("flag", enabled=False),
        "difficulty": head("pair"),
        "pii": head("spans"),
    },
    parity=Parity(texts=500, means=(Likeness(0.998, 0.99), Likeness(0.9923, 0.97)), focuses=(Likeness(1, 1),) * 2),
    original=Likeness(0.991, 0.98),
    latencies=[Latency(tokens=128, tier=tier, median=tier * 4.0 + 0.25, p95=tier * 5.0) for tier in range(3)],
    bytes=21_340_000,
    provenance={
        "checkpoint": {"model": "some/model", "package": "some-package==1"},
        "trunk": {
            "seed": 7,
            "depths": [2, 4],
            "epochs": 2.5,
            "steps": 1234,
            "device": "cpu",
            "history": [{"epoch": 1, "step": 9, "depth 2": {"domain exam": 0.6}, "depth 4": {"domain exam": 0.75}}],
        },
        "data": dict.fromkeys(pool.FILES, "a" * 64),
        "own_data": dict.fromkeys(OWN, "b" * 64),
        "seed": 7,
    },
)


@pytest.mark.parametrize(
    "stated",
    [
        "0123456789ab",
        "some-package==1",
        "mean 0.9923, least 0.9700",
        "21.3 MB",
        "| test | `exam` | 1,100 | 0.812 |  | 0.031 |",
        "confidence floor 0.52 (85% precision above it)",
        "raised from 0.420",
        "strong dear, weak cheap",
        "tier 1 answers up to 0.020 and from 0.970",
        "**computed only if asked for by name**",
        "agreement of early tiers 0.993",
        "| domain exam | 0.600 | 0.750 |",
        "| ms for 128 tokens | 4.2 | 8.2 |",
        "| 128 | 0.25 | 0.00 | 4.25 | 5.00 | 8.25 | 10.00 |",
        "| 1,234 | 0.921 |",
        "| test | `exam` | 1,100 | 0.687 |",
        "1,234 steps",
    ],
)
def test_the_card_states_it(stated: str) -> None:
    assert stated in card.render(FACTS)


def test_every_data_file_has_a_licence() -> None:
    text = card.render(FACTS)
    for name in (*pool.FILES, *OWN):
        assert f"| `{name}` |" in text


def test_nothing_is_left_unfilled() -> None:
    text = card.render(FACTS)
    assert "{" not in text
    assert "nan" not in text


def test_a_trunk_that_finished_no_epoch_says_so() -> None:
    provenance = FACTS.provenance | {"trunk": FACTS.provenance["trunk"] | {"history": []}}
    assert "No epoch was finished." in card.render(msgspec.structs.replace(FACTS, provenance=provenance))


def test_a_file_without_a_stated_licence_cannot_be_rendered() -> None:
    facts = msgspec.structs.replace(FACTS, provenance=FACTS.provenance | {"own_data": {"new.json": "c" * 64}})
    with pytest.raises(KeyError, match=r"new\.json"):
        card.render(facts)
