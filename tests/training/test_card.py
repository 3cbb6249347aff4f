from __future__ import annotations

import msgspec
import numpy as np

from extproc_router.encoder.manifest import Geometry
from extproc_router.training import card, data
from extproc_router.training.data import Source, Split
from extproc_router.training.domain import Figures, Outcome
from extproc_router.training.fit import CalibratedHead, Linear
from extproc_router.training.latency import Latency
from extproc_router.training.parity import Parity

FACTS = card.Facts(
    name="small",
    version="0123456789ab",
    geometry=Geometry(dimension=4, vocabulary=10, max_tokens=16, head_share=0.5),
    outcome=Outcome(
        head=CalibratedHead(("law", "math"), Linear(np.zeros((2, 4)), np.zeros(2)), 0.8, 0.42, 0.85),
        figures=[
            Figures(split, source, 100, 0.7, 0.6, 0.05, 0.9, 0.8)
            for split in (Split.VALIDATION, Split.TEST)
            for source in Source
            if source not in (Source.TOPIC, Source.PROGRAMMING)
        ],
        confusion=[[5, 1], [2, 7]],
    ),
    parity=Parity(texts=300, mean=0.9923, least=0.97),
    latencies=[Latency(tokens=128, median=11.94, p95=12.5)],
    provenance={
        "checkpoint": {"model": "some/model", "package": "some-package==1"},
        "data": dict.fromkeys(data.FILES, "a" * 64),
        "own_data": dict.fromkeys(data.OWN, "b" * 64),
        "seed": 7,
    },
)


def test_the_card_states_every_figure() -> None:
    text = card.render(FACTS)
    for stated in ("0123456789ab", "0.42", "85%", "0.9923", "| 128 | 11.9 | 12.5 |", "--seed 7", "some-package==1"):
        assert stated in text
    assert text.count("| 100 | 0.700 | 0.600 | 0.050 | 0.900 | 0.800 |") == 2 * 6


def test_every_data_file_has_a_licence() -> None:
    text = card.render(FACTS)
    for name in (*data.FILES, *data.OWN):
        assert f"| `{name}` |" in text


def test_nothing_is_left_unfilled() -> None:
    assert "{" not in card.render(FACTS)


def test_a_file_without_a_stated_licence_cannot_be_rendered() -> None:
    facts = msgspec.structs.replace(FACTS, provenance=FACTS.provenance | {"own_data": {"new.json": "c" * 64}})
    try:
        card.render(facts)
    except KeyError as error:
        assert error.args == ("new.json",)
    else:
        raise AssertionError
