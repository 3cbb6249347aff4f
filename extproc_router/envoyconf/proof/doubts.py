"""What in a bootstrap file is not understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof.message import strange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.envoyconf.proof.message import Known


class Doubt(Struct, frozen=True):
    """Something that the proof cannot judge: where it stands, its field, and why it may matter."""

    place: Place
    field: str
    why: str


def misread(field: str, said: Mapping[str, Place], known: Known) -> Iterator[Doubt]:
    """Yield what a message says that is not understood."""
    return (Doubt(place, f"{field}.{name}", "is not understood") for name, place in strange(said, known))
