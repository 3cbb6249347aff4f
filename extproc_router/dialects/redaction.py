"""Personal data in a body give way, character by character, to what stands for them.

Whatever may hold something that people or tools wrote is offered to the search: all strings under the members in
`_SECTIONS`, those of unknown members and unknown kinds of parts too, and numbers that are long enough to be somebody's.
Left out are keys, names that an API defines, ids, signatures and base64 (`_STRUCTURAL`, `_HELD`, `_DATA_URL`): a
change there protects nobody and breaks the request. What a tool was asked is free of structure (`_FREE_FORM`): a
member `name` is a name there, so all of it is offered. So is `thinking`: a changed block no longer fits its
signature, but a model that only ever saw placeholders thinks in placeholders, and an error is better than a leak.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from extproc_router.dialects.edits import Edit, apply
from extproc_router.dialects.literals import offsets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from extproc_router.types import Replacement

MIN_DIGITS: Final = 7
"""Shorter numbers are nobody's: token ids, sizes, years."""

# A body is valid JSON, so a string before a colon is a key, and brackets outside of strings are in pairs.
_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\n\r]*+:)?|[\[\]{}]|-?[0-9][0-9.eE+-]{%d,}' % (MIN_DIGITS - 1))
_DIGIT = re.compile(rb"[0-9]")
# All of it must be base64, so that no text is taken for it.
_DATA_URL = re.compile(rb"data:[\w.+-]+/[\w.+-]+(?:;[\w.=+-]+)*;base64,[A-Za-z0-9+/_=-]*", re.IGNORECASE)
_QUOTE, _OPEN, _CLOSE = ord('"'), frozenset(b"[{"), frozenset(b"]}")

_STRUCTURAL: Final = frozenset(
    b"role type id tool_call_id tool_use_id call_id item_id response_id previous_response_id approval_request_id"
    b" file_id container_id uuid model tool_name server_label server_name cache_control expires_at created_at"
    b" signature thought_signature encrypted_content encrypted_index encrypted_stdout"
    b" file_data b64_json image audio video image_embeds audio_embeds logprobs".split()
)
_FREE_FORM: Final = frozenset(b"input arguments variables attributes metadata env".split())

# What a value is: not looked at, the body itself, what an API defines and so has structure, what nobody defines.
_SKIPPED, _BODY, _CONTENT, _FREE = range(4)

_SECTIONS: Final = dict.fromkeys(
    b"messages system prompt suffix input instructions user safety_identifier prediction".split(), _CONTENT
) | {b"metadata": _FREE}


class _Frame:
    """A container that was entered: its mode, that of the value to come, and what decides on the values held back."""

    __slots__ = ("held", "inner", "key", "mode", "role", "type")

    def __init__(self, mode: int) -> None:
        self.mode = self.inner = mode
        self.key = b""
        self.role = self.type = b""
        self.held: list[tuple[bytes, int, int]] = []

    def enter(self, key: bytes) -> None:
        """Come to a member."""
        self.key = key
        if self.mode == _BODY:
            self.inner = _SECTIONS.get(key, _SKIPPED)
        elif self.mode == _CONTENT:
            self.inner = _CONTENT
            if key in _STRUCTURAL:
                self.inner = _SKIPPED
            elif key in _FREE_FORM:
                self.inner = _FREE

    def note(self, body: bytes, start: int, end: int) -> None:
        """Come to a string that is skipped."""
        if self.key == b"type":
            self.type = _plain(body[start:end])
        elif self.key == b"role":
            self.role = _plain(body[start:end])


# These members are content in some objects only, and which ones may be known as late as at the object's end: names are
# those of people in messages, `data` is text in a source that says so, a result is base64 where an image was made.
_HELD: Final[dict[bytes, Callable[[_Frame], bool]]] = {
    b"name": lambda frame: frame.role not in {b"", b"tool", b"function"},
    b"data": lambda frame: frame.type == b"text",
    b"result": lambda frame: frame.type != b"image_generation_call",
}


def redactions(body: bytes, find: Callable[[str], Sequence[Replacement]]) -> tuple[Edit, ...]:
    """The edits that put replacements in the place of what is found.

    Args:
        body: what a dialect has read, so it is valid JSON.
        find: gets the text of each string, decoded, and the spelling of each number. What it gives, in order and
            without overlaps, replaces these characters within the string; a number becomes a string.

    Returns:
        Edits that touch the found characters only.
    """
    edits: list[Edit] = []
    for start, end in _offered(body):
        search = _in_string if body[start - 1] == _QUOTE else _in_number
        edits += search(body, start, end, find)
    return tuple(edits)


def _offered(body: bytes) -> Iterator[tuple[int, int]]:
    """Where the strings, without their quotation marks, and the numbers stand that may hold content."""
    frames = [_Frame(_BODY)]
    for token in _TOKEN.finditer(body):
        kind, frame = body[token.start()], frames[-1]
        if kind in _OPEN:
            frames.append(_Frame(frame.inner))
        elif kind in _CLOSE:
            yield from [(start, end) for key, start, end in frames.pop().held if _HELD[key](frame)]
        elif kind != _QUOTE:
            if frame.inner != _SKIPPED:
                yield token.span()
        elif token.end(2) >= 0:
            frame.enter(_plain(token[1]))
        elif frame.inner == _SKIPPED:
            frame.note(body, *token.span(1))
        elif frame.inner == _CONTENT and frame.key in _HELD:
            frame.held.append((frame.key, *token.span(1)))
        else:
            yield token.span(1)


def _plain(literal: bytes) -> bytes:
    if b"\\" not in literal:
        return literal
    text: str = json.loads(b'"%b"' % literal)
    return text.encode()


def _in_string(body: bytes, start: int, end: int, find: Callable[[str], Sequence[Replacement]]) -> list[Edit]:
    literal = body[start:end]
    if not literal or _DATA_URL.fullmatch(literal):
        return []
    text: str = json.loads(b'"%b"' % literal) if b"\\" in literal else literal.decode()
    found = find(text)
    if not found:
        return []
    places = offsets(literal, [place for piece in found for place in (piece.start, piece.end)])
    texts = [json.dumps(piece.text)[1:-1].encode() for piece in found]
    return [
        Edit(start + first, start + last, new)
        for first, last, new in zip(places[::2], places[1::2], texts, strict=True)
    ]


def _in_number(body: bytes, start: int, end: int, find: Callable[[str], Sequence[Replacement]]) -> list[Edit]:
    spelling = body[start:end]
    found = find(spelling.decode()) if len(_DIGIT.findall(spelling)) >= MIN_DIGITS else ()
    if not found:
        return []
    edits = [Edit(piece.start, piece.end, piece.text.encode()) for piece in found]
    return [Edit(start, end, json.dumps(apply(spelling, edits).decode()).encode())]
