from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import wiring
from extproc_router.cases import loader as cases_loader
from extproc_router.cases.loader import Table
from extproc_router.config import loader

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.router import Router

Write = Callable[[str], Table]


@pytest.fixture
def router(told_config: str, scripted_encoder: Any) -> Router:
    return wiring.build_router(loader.load(told_config, "r.yaml"), scripted_encoder)


@pytest.fixture
def table(tmp_path: Path) -> Write:
    """Load cases, each a flow mapping without its braces."""

    def load(*cases: str) -> Table:
        path = tmp_path / "cases.yaml"
        path.write_text("cases:\n" + "".join(f"  - {{{case}}}\n" for case in cases))
        return cases_loader.load(path)

    return load
