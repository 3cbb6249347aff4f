"""Which fields there are at a place of the written config, read off the types that pydantic checks it by."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from extproc_router.config.schema import File
from extproc_router.config.when import When, Written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Type: TypeAlias = tuple[str, Any]
"""A type, and the tag that tells it from the others of its union."""


def is_variant(part: str | int) -> bool:
    """Whether a part of one of pydantic's locations names a variant of a union, or a key as such: both in brackets."""
    return isinstance(part, str) and part.startswith("[") and part.endswith("]")


def known_at(location: Sequence[str | int], root: type[BaseModel] = File) -> tuple[str, ...]:
    """Return the fields that a mapping at one of pydantic's locations may have; none where it has no fixed ones.

    Args:
        location: within the file.
        root: what the whole file is.
    """
    here: list[_Type] = [("", root)]
    for part in location:
        if is_variant(part):
            here = [(tag, kind) for tag, kind in here if tag == part]
        else:
            here = [found for _, kind in here for found in _nested(kind, part)]
    return tuple(field.alias or name for _, kind in here if _is_section(kind) for name, field in _members(kind))


def _members(kind: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    yield from kind.model_fields.items()


def _is_section(kind: Any) -> bool:  # noqa: ANN401 - types have no common type
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _nested(kind: Any, part: str | int) -> Iterator[_Type]:  # noqa: ANN401 - as above
    """Yield the types that a member or an entry of a type may have."""
    if _is_section(kind):
        for name, field in _members(kind):
            if part == (field.alias or name):
                yield from _flat(field.annotation)
                return
        if kind is When:
            yield from _flat(Written)
    elif get_origin(kind) is list or get_origin(kind) is dict:
        yield from _flat(get_args(kind)[-1])


def _flat(kind: Any, tag: str = "") -> Iterator[_Type]:  # noqa: ANN401 - as above
    """Take unions apart, and annotations off."""
    if get_origin(kind) is Annotated:
        inner, *notes = get_args(kind)
        yield from _flat(inner, next((note.tag for note in notes if isinstance(note, Tag)), tag))
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _flat(one, tag)
    else:
        yield tag, kind
