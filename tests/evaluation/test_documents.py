from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.evaluation import documents, routing

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.outcomes import Outcomes


def test_the_shape_of_a_pair(make: Callable[..., Outcomes]) -> None:
    found = routing.evaluate(
        make([0, 0, 1, 1], [1, 1, 1, 0]), {"mine": np.array([4.0, 3, 2, 1])}, strong="strong", weak="weak", bootstrap=20
    )
    document = json.loads(documents.dump(documents.routing(found)))
    assert document["n"] == 4
    assert (document["weak"]["quality"], document["strong"]["quality"]) == (0.5, 0.75)
    assert {"random", "length", "oracle", "group-mean", "always-weak", "always-strong", "best-single", "mine"} == set(
        document["strategies"]
    )
    members = {"apgr", "apgr_interval", "cpt50", "cpt80", "oracle_gap", "auc", "frontier"}
    assert all(members <= set(strategy) for strategy in document["strategies"].values())
    mine = document["strategies"]["mine"]
    assert (mine["apgr"], mine["cpt50"], mine["cpt80"], mine["auc"]) == (1.375, 12.5, 20.0, 0.84375)
    assert mine["frontier"] == [[0, 0.5], [0.25, 0.75], [0.5, 1], [0.75, 1], [1, 0.75]]
    assert document["strategies"]["always-strong"]["frontier"] == [[1, 0.75]]


def test_numbers_are_rounded_and_never_nan() -> None:
    assert documents.dump({"a": [0.1 + 0.2, -1e-15]}) == '{"a": [0.3, 0.0]}'
    assert documents.dump({"price": 1.23456e-13, "threshold": 0.1 + 0.2}) == (
        '{"price": 1.23456e-13, "threshold": 0.30000000000000004}'
    )
    with pytest.raises(ValueError, match="JSON"):
        documents.dump({"a": float("nan")})
