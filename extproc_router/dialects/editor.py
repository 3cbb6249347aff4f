"""Gathers the edits of one body, by the views that reading it gave; what is written is ASCII with JSON escapes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from extproc_router.dialects.edits import Edit
from extproc_router.json_views import is_string, locate, string

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Raw

    from extproc_router.types import Request

Value: TypeAlias = "str | int | bool | Sequence[Value] | Mapping[str, Value]"

_BETWEEN = "\n\n"
_EMPTY_STRING = 2


class Editor:
    """What shall change in one body.

    Views that are handed in are of values in this body; where a container is None, the body's own object is meant.

    Args:
        body: a valid JSON object.

    Attributes:
        body: as given; it never changes.
        edits: gathered so far.
        changes: what they change, in words without values of the client's.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.edits: list[Edit] = []
        self.changes: list[str] = []

    def model(self, request: Request, model: str) -> None:
        """Ask for `model`; where the client already does, nothing changes."""
        start, end = request.model_span
        if start == end:
            self._insert(start, f'"model":{_text(model)}')
        # An empty string and null both read as "", so the bytes decide.
        elif request.model == model and self.body[start:end] != b"null":
            return
        else:
            self.edits.append(Edit(start, end, _text(model).encode()))
        self.changes.append("model")

    def replace(self, value: Raw, new: Value) -> None:
        """Put another value in a value's place."""
        start, end = locate(self.body, value)
        self.edits.append(Edit(start, end, _text(new).encode()))

    def put(self, container: Raw | None, name: str, member: Raw, new: Value) -> bool:
        """Give a member a value: replace what is there, or become the object's first member.

        Args:
            container: an object.
            name: of the member.
            member: its value now, or `raw.ABSENT`.
            new: its value then.

        Returns:
            Whether that changes anything.
        """
        if len(member) == 0:
            self._insert(self._inside(container), f"{_text(name)}:{_text(new)}")
        elif bytes(member) == _text(new).encode() or (is_string(member) and string(member) == new):
            return False
        else:
            self.replace(member, new)
        return True

    def prepend_element(self, array: Raw, element: Value) -> None:
        """Make `element` the first of an array."""
        self._insert(self._inside(array), _text(element))

    def prepend_text(self, value: Raw, text: str) -> None:
        """Put `text` before a string, with an empty line between them unless the string is empty."""
        start, _ = locate(self.body, value)
        literal = _text(text + _BETWEEN if len(value) > _EMPTY_STRING else text)
        self.edits.append(Edit(start + 1, start + 1, literal[1:-1].encode()))

    def _insert(self, at: int, text: str) -> None:
        self.edits.append(Edit(at, at, text.encode(), element=True))

    def _inside(self, container: Raw | None) -> int:
        return 1 + (self.body.index(b"{") if container is None else locate(self.body, container)[0])


def _text(value: Value) -> str:
    return json.dumps(value, separators=(",", ":"))
