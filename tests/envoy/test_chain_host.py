"""Each attempt asks its server by the name that `endpoints` gives it, and by the client's where it gives none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import scenes
from extproc_router.lab import stack as lab

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.envoy
CONFIG = """
models:
  - {name: first, cluster: vendor}
  - {name: second, cluster: house}
  - {name: third, cluster: other}
rules:
  - {name: all, use: [first, second, third]}
routing: {default: first}
endpoints:
  clusters:
    vendor: {host: api.vendor.example}
    other: {host: other.example}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Stack]:
    config = tmp_path_factory.mktemp("host") / "router.yaml"
    config.write_text(CONFIG)
    with lab.stack(config=config) as running:
        yield running


def test_a_host_is_that_attempts_alone(house: lab.Stack) -> None:
    house.servers["vendor"].status = house.servers["house"].status = 503
    assert scenes.ask(house, "hello") == (200, "third")
    hosts = {name: server.received[-1].header("host") for name, server in house.servers.items()}
    assert hosts == {
        "vendor": "api.vendor.example",
        "house": f"127.0.0.1:{house.envoy.port}",
        "other": "other.example",
    }
