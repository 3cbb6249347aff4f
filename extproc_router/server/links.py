"""Which directory entries decide what a path leads to.

A file of a mounted ConfigMap is a link to a link: `router.yaml` -> `..data/router.yaml`, `..data` -> `..2026_11_22`.
An update writes nothing to the file, but puts another link in the place of `..data`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_LINKS = 40  # as the kernel


def entries(path: Path) -> Iterator[Path]:
    """Yield every link on the way that a path takes, and the file at its end; their parents exist and are no links.

    Where the way ends early, the last one is what is missing, or what may not be looked into, or what cannot be a name;
    nothing where a relative path begins in a directory that is gone.
    """
    try:
        steps = [*path.absolute().parts[1:]]
    except FileNotFoundError:
        return
    at, links = Path("/"), 0
    while steps:
        step = steps.pop(0)
        if step == "..":
            at = at.parent
            continue
        entry = at / step
        target = _target(entry)
        if target is not None:
            yield entry
            links += 1
            if links > _MOST_LINKS:
                return
            if target.is_absolute():
                at = Path("/")
            steps = [*target.parts[target.is_absolute() :], *steps]
        elif steps and os.path.isdir(entry):  # noqa: PTH112 - Path.is_dir raises where it may not look
            at = entry
        else:
            yield entry
            return


def all_entries(paths: Iterable[Path]) -> frozenset[Path]:
    """Yield those of several paths."""
    return frozenset(entry for path in paths for entry in entries(path))


def _target(entry: Path) -> Path | None:
    try:
        return Path(os.readlink(entry))  # noqa: PTH115 - Path.readlink raises the same for what is no link
    except (OSError, ValueError):  # ValueError: a NUL, or what no file system can spell
        return None
