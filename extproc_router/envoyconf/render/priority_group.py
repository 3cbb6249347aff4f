"""Envoy's cluster specifier `priority_group`, which envoy-data-plane 2.2 lacks: as in the descriptors of Envoy 1.40."""

from __future__ import annotations

import betterproto2
from envoy_data_plane.google.protobuf import BoolValue, UInt32Value
from envoy_data_plane.message_pool import default_message_pool
from pydantic.dataclasses import dataclass

PACKAGE = "envoy.extensions.router.cluster_specifiers.priority_group.v3"


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class ClusterWeight(betterproto2.Message):
    """A cluster of a group."""

    cluster_name: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    weight: int | None = betterproto2.field(2, betterproto2.TYPE_MESSAGE, unwrap=lambda: UInt32Value, optional=True)


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class PriorityGroup(betterproto2.Message):
    """What one attempt chooses from."""

    name: str = betterproto2.field(1, betterproto2.TYPE_STRING)
    clusters: list[ClusterWeight] = betterproto2.field(2, betterproto2.TYPE_MESSAGE, repeated=True)


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class PriorityGroupClusterSpecifier(betterproto2.Message):
    """The groups, one for each attempt, and the metadata that may replace them."""

    priority_groups: list[PriorityGroup] = betterproto2.field(1, betterproto2.TYPE_MESSAGE, repeated=True)
    override_metadata_namespace: str = betterproto2.field(2, betterproto2.TYPE_STRING)
    header_name: str = betterproto2.field(3, betterproto2.TYPE_STRING)
    use_hash_policy: bool | None = betterproto2.field(
        4, betterproto2.TYPE_MESSAGE, unwrap=lambda: BoolValue, optional=True
    )


default_message_pool.register_message(PACKAGE, "PriorityGroupClusterSpecifier", PriorityGroupClusterSpecifier)
