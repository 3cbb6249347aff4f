from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import figures, routing

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.findings import Routing
    from extproc_router.evaluation.outcomes import Outcomes


@pytest.fixture
def found(noisy: Callable[..., Outcomes]) -> Routing:
    rows = noisy(300)
    policy = np.arange(300) % 2 == 0
    return routing.evaluate(
        rows, {"<hint>": rows.columns["hint"]}, strong="strong", weak="weak", fixed={"policy": policy}, bootstrap=20
    )


def test_a_drawing_is_vector_text_and_png(found: Routing) -> None:
    drawing = figures.frontier(found)
    words = " ".join(ET.fromstring(drawing.svg).itertext())  # noqa: S314 - our own markup
    assert "calls to the strong model, %" in words
    assert "<hint>, APGR" in words
    assert "policy" in words
    assert "<image" not in drawing.svg
    assert drawing.png.startswith(b"\x89PNG")


def test_the_same_findings_give_the_same_bytes(found: Routing) -> None:
    assert figures.frontier(found) == figures.frontier(found)


def test_a_missing_matplotlib_is_named(found: Routing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(StartupError, match=r"extproc-router\[evaluate\]"):
        figures.frontier(found)
