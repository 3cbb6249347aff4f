from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.lab.simulator import ModelServer, simulators

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ModelServer]]:
    with simulators(["small", "large"]) as running:
        yield running


@pytest.fixture
def small(servers: dict[str, ModelServer]) -> ModelServer:
    servers["small"].clear()
    return servers["small"]
