from __future__ import annotations

from typing import Any

import pytest

from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_targets import clusters_of, leaves, reached

CLUSTERS = {name: parts.server(name) for name in ("a", "b", "c")} | {
    "nowhere": {"name": "nowhere", "type": "STATIC"},
    "pool": parts.chain("aggregate", "pool", ["nowhere", "a", "inner"]),
    "inner": parts.chain("composite", "inner", ["b"]),
    "ring": parts.chain("aggregate", "ring", ["ring"]),
    "odd": {"name": "odd", "type": "ORIGINAL_DST"},
}


def targets(action: dict[str, Any], *mirrors: dict[str, Any], seen: str = "a", now: str = "b") -> set[str]:
    return set(reached(action, mirrors, ({"x-c": [seen, "c"]}, {"x-c": [now]}), CLUSTERS, {"told": ("c", "a")}))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"cluster": "a"}, {"a"}),
        ({"cluster": "nowhere"}, set()),
        ({"cluster": "unheard-of"}, set()),
        ({"cluster": "pool"}, {"a", "b"}),
        ({"cluster_header": "X-C"}, {"a"}),
        ({"cluster_header": "x-absent"}, set()),
        ({"weighted_clusters": {"clusters": [{"name": "a", "weight": 1}, {"name": "b"}]}}, {"a"}),
        ({"weighted_clusters": {"clusters": [{"cluster_header": "x-c", "weight": 1}]}}, {"a"}),
        (parts.groups(["b", "c"]), {"b", "c"}),
        (parts.groups(["b"], override_metadata_namespace="told"), {"a", "c"}),
        (parts.groups(["b"], override_metadata_namespace="untold"), {"b"}),
        (parts.groups(["b"]) | {"retry_policy": {"refresh_cluster_on_retry": True}}, {"b"}),
        ({"cluster": "a", "request_mirror_policies": [{"cluster": "b"}]}, {"a", "b"}),
        ({"cluster": "nowhere", "request_mirror_policies": [{"cluster": "b"}]}, set()),
        ({"cluster": "c", "request_mirror_policies": [{"cluster_header": "x-c"}]}, {"b", "c"}),
    ],
)
def test_actions(action: dict[str, Any], expected: set[str]) -> None:
    assert targets(action) == expected


def test_mirrors_from_above_hold_where_the_route_has_none() -> None:
    never = {"cluster": "c", "runtime_fraction": {"default_value": {"numerator": 0}}}
    assert targets({"cluster": "a"}, {"cluster": "b"}) == {"a", "b"}
    assert targets({"cluster": "a", "request_mirror_policies": [never]}, {"cluster": "b"}) == {"a"}


@pytest.mark.parametrize(
    "action",
    [
        {"cluster": "ring"},
        {"cluster": "odd"},
        {"cluster_specifier_plugin": "lua"},
        {"cluster": "a", "internal_redirect_policy": {}},
        {"cluster": "a", "retry_policy": {"refresh_cluster_on_retry": True}},
        {"cluster": "a", "retry_policy": {"retry_priority": {}}},
    ],
)
def test_what_is_not_known_is_not_guessed(action: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        targets(action)


def test_leaves_are_walked_in_order() -> None:
    assert list(leaves("pool", CLUSTERS)) == ["a", "b"]


def test_clusters_of_groups() -> None:
    two = {"clusters": [{"cluster_name": "a"}, {"cluster_name": "b"}]}
    assert clusters_of([two, {"clusters": [{"cluster_name": "c"}]}]) == ("a", "b", "c")
