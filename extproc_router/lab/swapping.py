"""Putting a new file in an old one's place, as Kubernetes and careful people do it: whole at every moment."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DATA = "..data"


def rename(path: Path, text: str) -> None:
    """Write a file beside it and rename it over; what was there, a link too, is gone."""
    spare = path.with_name(f".{path.name}.new")
    spare.write_text(text, encoding="utf-8")
    spare.replace(path)


def mount(path: Path, text: str, edition: int) -> None:
    """Update a file as the kubelet does that of a mounted ConfigMap.

    The file is a link to `..data/NAME`, and `..data` one to a directory, which is another one each time.

    Args:
        path: the file; its directory exists.
        text: its new content.
        edition: names the new directory; a number not used before.
    """
    directory = path.parent
    data, before = directory / _DATA, directory / _DATA
    old = before.resolve() if before.is_symlink() else None
    new = directory / f"..{edition:06}"
    new.mkdir()
    (new / path.name).write_text(text, encoding="utf-8")
    _link(data, new.name)
    if not path.is_symlink():
        _link(path, f"{_DATA}/{path.name}")
    if old:
        shutil.rmtree(old)


def _link(path: Path, target: str) -> None:
    spare = path.with_name(f"{path.name}.tmp")
    spare.symlink_to(target)
    spare.replace(path)
