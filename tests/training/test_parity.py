from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

for needed in ("torch", "transformers", "safetensors", "onnx"):
    pytest.importorskip(needed, reason="needs the extra [train]")

from extproc_router.training import export, parity  # noqa: E402  after the skips

if TYPE_CHECKING:
    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.embed import Files

TEXTS = [
    "What is the capital of France?",
    "Explain the second law of thermodynamics to a child.",
    "def f(x):\n    return [y ** 2 for y in x if y % 2]",
    "A contract without consideration is void, except in these cases: ...",
]


def test_the_shipped_encoder_is_close_to_the_original(files: Files, geometry: Geometry) -> None:
    likeness = parity.measure(TEXTS, export.source(), files, geometry)
    assert likeness.texts == len(TEXTS)
    assert 0.97 < likeness.least <= likeness.mean <= 1.0
