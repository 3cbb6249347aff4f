"""A list, or several lists by name: how words and patterns are written."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import Discriminator, Field, Tag

from extproc_router.options import Name

MAX_LISTS = 200
"""Names in one signal."""

_Listed = TypeVar("_Listed")
_Named = TypeVar("_Named")


def _shape(value: object) -> str | None:
    if isinstance(value, list):
        return "[list]"
    return "[mapping]" if isinstance(value, dict) else None


# Tags in brackets: no part of the file, so that mistakes are told with the file's own path.
Lists: TypeAlias = Annotated[
    Annotated[_Listed, Tag("[list]")]
    | Annotated[dict[Name, _Named], Field(min_length=1, max_length=MAX_LISTS), Tag("[mapping]")],
    Discriminator(_shape, custom_error_type="lists", custom_error_message="expected a list, or a mapping by name"),
]


def named(written: list[Any] | dict[str, Any], unnamed: str) -> dict[str, Any]:
    """Return the lists by name; a list without one gets the name `unnamed`."""
    return written if isinstance(written, dict) else {unnamed: written}
