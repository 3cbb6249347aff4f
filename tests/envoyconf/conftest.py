"""The shipped envoy.yaml with one thing changed, and what is found in it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from extproc_router.config import loader
from extproc_router.envoyconf import bootstrap, check, render

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.config.loader import Config
    from extproc_router.envoyconf.check import Report
    from extproc_router.envoyconf.place import Place

    Read: TypeAlias = Callable[[Any], Place]
    Judge: TypeAlias = Callable[..., Report]


_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CASCADING = """
models: [{name: a, cluster: small}, {name: b, cluster: large}, {name: c, cluster: code}]
rules: [{name: r, use: [a, b], cascade: {}}]
fallback: {on_context_length: true}
routing: {default: a}
"""


class Edit:
    """A bootstrap as plain data, and its places by name."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        [self.listener] = data["static_resources"]["listeners"]
        self.manager: dict[str, Any] = self.listener["filter_chains"][0]["filters"][0]["typed_config"]
        self.filters: list[dict[str, Any]] = self.manager["http_filters"]
        [self.filter] = [entry for entry in self.filters if entry["name"] == "envoy.filters.http.ext_proc"]
        self.ext_proc: dict[str, Any] = self.filter["typed_config"]
        [self.host] = self.manager["route_config"]["virtual_hosts"]
        self.routes: list[dict[str, Any]] = self.host["routes"]

    def route(self, name: str) -> dict[str, Any]:
        [found] = [route for route in self.routes if route["name"] == name]
        return found

    def take(self, name: str) -> dict[str, Any]:
        """Remove a route."""
        self.routes.remove(found := self.route(name))
        return found

    def cluster(self, name: str) -> dict[str, Any]:
        clusters: list[dict[str, Any]] = self.data["static_resources"]["clusters"]
        [found] = [cluster for cluster in clusters if cluster["name"] == name]
        return found

    def upstream(self, cluster: str) -> list[dict[str, Any]]:
        """The filters of a cluster."""
        [options] = self.cluster(cluster)["typed_extension_protocol_options"].values()
        filters: list[dict[str, Any]] = options["http_filters"]
        return filters


@pytest.fixture(scope="session")
def shipped(root: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((root / "envoy/envoy.yaml").read_text())
    return data


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Data, or text, as a bootstrap file that has been read."""

    def from_data(data: Any) -> Place:
        path = tmp_path / "envoy.yaml"
        path.write_text(data if isinstance(data, str) else yaml.dump(data, Dumper=_Dumper, sort_keys=False))
        return bootstrap.read(path)

    return from_data


@pytest.fixture(scope="session")
def quickstart(root: Path) -> Config:
    return loader.load((root / "examples/quickstart.yaml").read_text(), "router.yaml")


@pytest.fixture
def fresh(shipped: dict[str, Any]) -> Callable[[], Edit]:
    """Copies of the shipped file, to be changed."""
    return lambda: Edit(deepcopy(shipped))


@pytest.fixture
def edit(fresh: Callable[[], Edit]) -> Edit:
    """The shipped file, to be changed."""
    return fresh()


@pytest.fixture(scope="session")
def cascading() -> Config:
    """A config with a cascade, of the quickstart's clusters."""
    return loader.load(CASCADING, "router.yaml")


@pytest.fixture(scope="session")
def uncascaded() -> Config:
    """The same without its cascade."""
    return loader.load(CASCADING.replace(", cascade: {}", ""), "router.yaml")


@pytest.fixture
def judge_cascade(cascading: Config, read: Read) -> Judge:
    """What is found in the file that is written for a cascade, after a change."""
    written = yaml.load(render.bootstrap(cascading), Loader=_Loader)  # noqa: S506 - a safe one

    def found(change: Callable[[Edit], object], config: Config | None = cascading) -> Report:
        edit = Edit(deepcopy(written))
        change(edit)
        return check.compare(config, read(edit.data))

    return found


@pytest.fixture
def judge(fresh: Callable[[], Edit], quickstart: Config, read: Read) -> Judge:
    """What is found in the shipped file after a change, against the quickstart config or another."""

    def found(change: Callable[[Edit], object], config: Config | None = quickstart) -> Report:
        edit = fresh()
        change(edit)
        return check.compare(config, read(edit.data))

    return found
