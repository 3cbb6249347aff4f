from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config import loader
from extproc_router.envoyconf import bootstrap, check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def shipped(root: Path) -> dict[str, Any]:
    return bootstrap.read(root / "envoy/envoy.yaml")


def config(root: Path, *changes: tuple[str, str]) -> loader.Config:
    text = (root / "examples/quickstart.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return loader.load(text, "router.yaml")


def ext_proc(data: dict[str, Any]) -> dict[str, Any]:
    manager = data["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    found: dict[str, Any] = manager["http_filters"][0]["typed_config"]
    return found


def test_the_shipped_files_fit(root: Path, shipped: dict[str, Any]) -> None:
    assert check.find_mistakes(config(root), shipped, "envoy.yaml") == ()


def test_a_cluster_that_is_not_there_is_a_mistake_at_its_model(root: Path, shipped: dict[str, Any]) -> None:
    [mistake] = check.find_mistakes(config(root, ("cluster: large", "cluster: lrge")), shipped, "envoy.yaml")
    assert mistake.field == "models.1.cluster"
    assert "did you mean 'large'?" in mistake.message
    assert mistake.file == "router.yaml"


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (lambda f: f["processing_mode"].update(request_body_mode="NONE"), "request_body_mode", "BUFFERED"),
        (lambda f: f.pop("processing_mode"), "request_body_mode", "BUFFERED"),
        (lambda f: f.update(message_timeout="0.05s"), "message_timeout", "gives up before"),
        (lambda f: f.pop("metadata_options"), "receiving_namespaces", "access log"),
        (lambda f: f.pop("mutation_rules"), "mutation_rules", "disallow_all"),
        (
            lambda f: f["mutation_rules"]["allow_expression"].update(regex="^x-selected-cluster$"),
            "allow_expression",
            "content-length",
        ),
    ],
)
def test_what_would_make_decisions_come_to_nothing(
    root: Path, shipped: dict[str, Any], change: Callable[[dict[str, Any]], object], field: str, says: str
) -> None:
    data = deepcopy(shipped)
    change(ext_proc(data))
    mistakes = check.find_mistakes(config(root), data, "envoy.yaml")
    assert any(field in mistake.field and says in mistake.message for mistake in mistakes), mistakes


@pytest.mark.parametrize(
    ("limit", "says"), [(1_000_000, "Envoy answers 413 first"), (64_000_000, "hangs up"), (None, "413")]
)
def test_body_limits_are_paired(root: Path, shipped: dict[str, Any], limit: int | None, says: str) -> None:
    data = deepcopy(shipped)
    manager = data["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    [host] = manager["route_config"]["virtual_hosts"]
    del host["request_body_buffer_limit"]
    if limit is not None:
        host["request_body_buffer_limit"] = limit
    [mistake] = check.find_mistakes(config(root), data, "envoy.yaml")
    assert says in mistake.message


def test_no_ext_proc_at_all_is_a_mistake(root: Path, shipped: dict[str, Any]) -> None:
    data = deepcopy(shipped)
    manager = data["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["http_filters"][0]
    [mistake] = check.find_mistakes(config(root), data, "envoy.yaml")
    assert "never asked" in mistake.message
