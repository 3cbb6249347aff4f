from __future__ import annotations

import pytest

from extproc_router.envoyconf.render.priority_group import PriorityGroupClusterSpecifier

WRITTEN = {
    "override_metadata_namespace": "a",
    "priority_groups": [{"name": "g", "clusters": [{"cluster_name": "c", "weight": 1}]}],
}


def test_it_survives_the_wire() -> None:
    read = PriorityGroupClusterSpecifier.from_dict(WRITTEN)
    assert PriorityGroupClusterSpecifier.parse(bytes(read)) == read
    assert read.priority_groups[0].clusters[0].weight == 1


def test_no_other_field_is_known() -> None:
    with pytest.raises(KeyError):
        PriorityGroupClusterSpecifier.from_dict({"priority_group": []})
