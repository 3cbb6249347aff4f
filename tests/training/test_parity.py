from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

for needed in ("torch", "transformers", "safetensors", "onnx"):
    pytest.importorskip(needed, reason="needs the extra [train]")

from extproc_router.training import export, parity  # noqa: E402  after the skips

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = [
    "What is the capital of France?",
    "Explain the second law of thermodynamics to a child.",
    "def f(x):\n    return [y ** 2 for y in x if y % 2]",
    "A contract without consideration is void, except in these cases: ...",
]


def test_int8_is_close_to_float(tmp_path: Path) -> None:
    try:
        checkpoint = export.source()
    except ModuleNotFoundError:
        pytest.skip("needs the checkpoint's package, extra [train]")
    idf = np.ones(30_522, np.float32)
    geometry = export.export(checkpoint, tmp_path, max_tokens=128, head_share=0.5, stages=(2, 6), idf=idf, queries=None)
    files = export.files(tmp_path, 2)
    likeness = parity.measure(TEXTS, checkpoint, files, geometry, stages=(2, 6), queries=None)
    assert likeness.texts == len(TEXTS)
    for each in (*likeness.means, *likeness.focuses):
        assert 0.97 < each.least <= each.mean <= 1.0001
    whole = parity.against_transformers(TEXTS, checkpoint, files, geometry)
    assert 0.97 < whole.least <= whole.mean <= 1.0001
