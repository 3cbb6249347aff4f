from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf import bootstrap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.envoyconf.conftest import Read


def test_the_shipped_file_is_read(root: Path) -> None:
    place = bootstrap.read(root / "envoy/envoy.yaml")
    assert {"small", "large", "code", "extproc_router"} <= bootstrap.cluster_names(place)
    [manager] = bootstrap.managers(place)
    assert manager.listener.text("name") == "llm"
    assert [found.text("stat_prefix") for found in bootstrap.ext_procs(manager.place)] == ["router"]
    assert not bootstrap.discovers_clusters(place)
    assert not bootstrap.discovers_listeners(place)


@pytest.mark.parametrize(
    "data",
    [
        {"a": 1},
        {"static_resources": None},
        {"static_resources": {"clusters": [1, {}, {"name": 3}], "listeners": {}}},
        {"static_resources": {"listeners": [{"filter_chains": [{"filters": [{"typed_config": 3}]}]}]}},
    ],
)
def test_a_file_of_another_shape_has_nothing(read: Read, data: dict[str, Any]) -> None:
    assert bootstrap.cluster_names(read(data)) == frozenset()
    assert list(bootstrap.managers(read(data))) == []


def test_the_default_filter_chain_counts(read: Read) -> None:
    manager = {"typed_config": {"@type": "x/envoy.v3.HttpConnectionManager"}}
    place = read({"static_resources": {"listeners": [{"default_filter_chain": {"filters": [manager]}}]}})
    assert len(list(bootstrap.managers(place))) == 1


def test_a_control_plane_is_seen(read: Read) -> None:
    place = read({"dynamic_resources": {"cds_config": {}, "ldsConfig": {}}})
    assert bootstrap.discovers_clusters(place)
    assert bootstrap.discovers_listeners(place)
