"""What in a bootstrap file is not understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof.message import strange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.envoyconf.proof.message import Known


_DISCOVERED = {
    "rds": ("routes (RDS)", "route_config"),
    "scoped_routes": ("routes (SRDS)", "route_config"),
    "vhds": ("virtual hosts (VHDS)", "virtual_hosts"),
    "lds_config": ("listeners (LDS)", "listeners"),
    "lds_resources_locator": ("listeners (LDS)", "listeners"),
    "fcds_config": ("filter chains (FCDS)", "filter_chains"),
    "config_discovery": ("a filter (ECDS)", "typed_config"),
}


class Doubt(Struct, frozen=True):
    """Something that the proof cannot judge: where it stands, its field, and why it may matter."""

    place: Place
    field: str
    why: str


def misread(field: str, said: Mapping[str, Place], known: Known) -> Iterator[Doubt]:
    """Yield what a message says that is not understood."""
    for name, place in strange(said, known):
        why = "is not understood"
        if name in _DISCOVERED:
            what, here = _DISCOVERED[name]
            why = f"this file does not say what comes from elsewhere, {what}: write it here, as `{here}`"
        yield Doubt(place, f"{field}.{name}", why)
