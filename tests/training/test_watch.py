from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [train]")

from extproc_router.training import watch  # noqa: E402  after the skip


def test_a_line_says_every_depth() -> None:
    entry = {"epoch": 2, "step": 40, "depth 2": {"domain exam": 0.5}, "depth 4": {"domain exam": 0.625}}
    assert watch.line(entry) == "epoch 2, step 40\n  depth 2: domain exam 0.500\n  depth 4: domain exam 0.625"
