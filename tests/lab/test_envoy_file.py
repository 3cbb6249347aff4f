from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from extproc_router.errors import StartupError
from extproc_router.lab import envoy_file

if TYPE_CHECKING:
    from pathlib import Path


def test_an_address_is_a_unix_socket_or_a_host_and_port() -> None:
    assert envoy_file.address("unix:/run/x.sock") == {"pipe": {"path": "/run/x.sock"}}
    assert envoy_file.address("vllm:8000") == {"socket_address": {"address": "vllm", "port_value": 8000}}
    assert envoy_file.address("[::1]:80") == {"socket_address": {"address": "::1", "port_value": 80}}


@pytest.mark.parametrize("text", ["", "8080", ":8080", "host:", "host:http", "/run/x.sock"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(StartupError, match="not an address"):
        envoy_file.address(text)


def test_relocating_moves_addresses_and_nothing_else() -> None:
    original = envoy_file.load()
    before = deepcopy(original)

    moved = envoy_file.relocate(
        original, listener="127.0.0.1:1", admin="127.0.0.1:2", clusters={"small": "127.0.0.1:3", "code": "unix:/s"}
    )

    assert original == before
    assert _addresses(moved) == [
        {"socket_address": {"address": "127.0.0.1", "port_value": 2}},
        {"socket_address": {"address": "127.0.0.1", "port_value": 1}},
    ]
    assert _endpoint(moved, "small") == {"socket_address": {"address": "127.0.0.1", "port_value": 3}}
    assert _endpoint(moved, "code") == {"pipe": {"path": "/s"}}
    assert _cluster(moved, "small")["type"] == "STATIC"
    assert _cluster(moved, "large") == _cluster(original, "large")
    assert _without_addresses(moved) == _without_addresses(original)


def test_an_unknown_cluster_is_named() -> None:
    with pytest.raises(StartupError, match="no cluster named huge"):
        envoy_file.relocate(envoy_file.load(), listener="a:1", admin="a:2", clusters={"huge": "a:3"})


def test_the_baseline_lacks_ext_proc_alone() -> None:
    bare = envoy_file.without_ext_proc(envoy_file.load())

    assert [item["name"] for item in _filters(envoy_file.load())] == [
        "envoy.filters.http.ext_proc",
        "envoy.filters.http.router",
    ]
    assert [item["name"] for item in _filters(bare)] == ["envoy.filters.http.router"]


def test_ext_proc_settings_can_be_changed() -> None:
    changed = envoy_file.with_ext_proc(envoy_file.load(), failure_mode_allow=False)

    assert _filters(changed)[0]["typed_config"]["failure_mode_allow"] is False
    assert _filters(envoy_file.load())[0]["typed_config"]["failure_mode_allow"] is True


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    bootstrap = envoy_file.load()

    assert envoy_file.load(envoy_file.save(bootstrap, tmp_path / "envoy.yaml")) == bootstrap


@pytest.mark.parametrize(("text", "message"), [("a: [", "no YAML"), ("- a", "no Envoy bootstrap"), ("", "bootstrap")])
def test_a_file_that_is_no_bootstrap_is_a_startup_error(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "envoy.yaml"
    path.write_text(text)

    with pytest.raises(StartupError, match=message):
        envoy_file.load(path)


def test_a_missing_file_is_a_startup_error(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="clone of the repository"):
        envoy_file.load(tmp_path / "envoy.yaml")


def _addresses(bootstrap: dict[str, Any]) -> list[object]:
    return [bootstrap["admin"]["address"], bootstrap["static_resources"]["listeners"][0]["address"]]


def _cluster(bootstrap: dict[str, Any], name: str) -> dict[str, Any]:
    return next(cluster for cluster in bootstrap["static_resources"]["clusters"] if cluster["name"] == name)


def _endpoint(bootstrap: dict[str, Any], name: str) -> object:
    [group] = _cluster(bootstrap, name)["load_assignment"]["endpoints"]
    [endpoint] = group["lb_endpoints"]
    return endpoint["endpoint"]["address"]


def _filters(bootstrap: dict[str, Any]) -> list[dict[str, Any]]:
    manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    filters: list[dict[str, Any]] = manager["http_filters"]
    return filters


def _without_addresses(bootstrap: dict[str, Any]) -> object:
    rest = yaml.safe_load(yaml.safe_dump(bootstrap))
    del rest["admin"], rest["static_resources"]["listeners"][0]["address"]
    for cluster in rest["static_resources"]["clusters"]:
        for key in ("type", "dns_lookup_family", "load_assignment"):
            cluster.pop(key, None)
    return rest
