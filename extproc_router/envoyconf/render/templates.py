"""The templates: YAML with `$names`, lines that stand under a condition, and blocks that are written out once.

#: if NAME        or  #: if not NAME
#: else
#: end
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).resolve().parent
_MARK = "#: "
_ANCHOR = re.compile(r"(?P<indent> *)(?P<head>- |[a-z_]+: )&(?P<anchor>[a-z0-9_]+)")


@cache
def source(name: str) -> str:
    """Return a file of this room."""
    return (_HERE / name).read_text(encoding="utf-8")


def filled(template: str, conditions: Mapping[str, bool], **values: object) -> str:
    """Return a template with the lines whose conditions hold, and its names replaced."""
    kept: list[str] = []
    holding: list[bool] = []
    for line in source(f"templates/{template}.yaml").splitlines(keepends=True):
        if line.startswith(_MARK):
            _follow(line.removeprefix(_MARK).split(), conditions, holding)
        elif all(holding):
            kept.append(line)
    return Template("".join(kept)).substitute(values)


def _follow(words: list[str], conditions: Mapping[str, bool], holding: list[bool]) -> None:
    match words:
        case ["if", "not", name]:
            holding.append(not conditions[name])
        case ["if", name]:
            holding.append(conditions[name])
        case ["else"]:
            holding[-1] = not holding[-1]
        case _:
            holding.pop()


def once(text: str, known: dict[str, list[str]]) -> str:
    """Replace anchored blocks that have been written before by aliases; comments do not count.

    Args:
        text: lines of YAML.
        known: anchor -> the blocks that were written under it, the n-th as `anchor_n`; grows.
    """
    lines, written = text.splitlines(keepends=True), []
    while lines:
        line = lines.pop(0)
        found = _ANCHOR.match(line)
        if found is None:
            written.append(line)
            continue
        size = _size(found["indent"], found["head"], lines)
        block, lines = [line, *lines[:size]], lines[size:]
        said = "".join(each for each in block if not each.lstrip().startswith("#"))
        blocks, anchor = known.setdefault(found["anchor"], []), found["anchor"]
        is_new = said not in blocks
        if is_new:
            blocks.append(said)
        number = blocks.index(said) + 1
        name = anchor if number == 1 else f"{anchor}_{number}"
        if is_new:
            written += [line.replace(f"&{anchor}", f"&{name}", 1), *block[1:]]
        else:
            written.append(f"{found['indent']}{found['head']}*{name}\n")
    return "".join(written)


def _size(indent: str, head: str, lines: list[str]) -> int:
    """Count the lines that belong to the one in front of them; a list may stand in the column of its key."""
    starts = (f"{indent} ",) if head == "- " else (f"{indent} ", f"{indent}- ")
    return next((place for place, line in enumerate(lines) if not line.startswith(starts)), len(lines))
