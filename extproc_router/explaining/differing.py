"""What changed in a body, as lines for people."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTEXT = 2  # lines before and after a change
_AROUND = 24  # characters before a change within a long line
_COMPARED = 2000  # lines; more are told by their number: comparing takes their square


def plain(text: str) -> str:
    """Return text that no terminal takes for commands: what is not printable is written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def cut(text: str, width: int) -> str:
    """Return at most `width` characters, 4 or more; dots say that some are left out."""
    return text if len(text) <= width else text[: width - 3] + "..."


def lines_of(body: bytes) -> list[str]:
    """Write a JSON body with one value on each line; any other as it is, line by line."""
    try:
        shown = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = body.decode(errors="replace")
    return [plain(line) for line in shown.split("\n")]


def difference(before: bytes, after: bytes, width: int) -> Iterator[str]:
    """Yield the lines that differ, after `-` as they were and `+` as they are, with two lines around them.

    Args:
        before: a body.
        after: what it became.
        width: of a line; longer ones show what is around the first character that differs.
    """
    old, new = lines_of(before), lines_of(after)
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    olds, news = old[start : len(old) - end], new[start : len(new) - end]
    if not (olds or news):
        return
    yield from (_line(" ", line, width) for line in old[max(0, start - _CONTEXT) : start])
    if max(len(olds), len(news)) > _COMPARED:
        yield f"- {len(olds):,} lines"
        yield f"+ {len(news):,} lines"
    else:
        yield from _changes(olds, news, width)
    yield from (_line(" ", line, width) for line in old[len(old) - end :][:_CONTEXT])


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _changes(old: Sequence[str], new: Sequence[str], width: int) -> Iterator[str]:
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from _between(old[i:j], width)
            continue
        for place in range(max(j - i, m - k)):
            was, now = _at(old[i:j], place), _at(new[k:m], place)
            focus = 0 if was is None or now is None else _common(was, now)
            yield from (_line(sign, text, width, focus) for sign, text in (("-", was), ("+", now)) if text is not None)


def _at(lines: Sequence[str], place: int) -> str | None:
    return lines[place] if place < len(lines) else None


def _between(same: Sequence[str], width: int) -> Iterator[str]:
    """Show what stands unchanged between two changes; most of it is left out where it is long."""
    if len(same) <= 2 * _CONTEXT + 1:
        yield from (_line(" ", line, width) for line in same)
        return
    yield from (_line(" ", line, width) for line in same[:_CONTEXT])
    yield f"  ... {len(same) - 2 * _CONTEXT:,} lines that stay"
    yield from (_line(" ", line, width) for line in same[-_CONTEXT:])


def _line(sign: str, text: str, width: int, focus: int = 0) -> str:
    room = width - 2
    if len(text) > room and focus > room // 2:
        text = "..." + text[focus - _AROUND :]
    return f"{sign} {cut(text, room)}"
