"""What stands in the files now, once nobody is writing to them any more.

A config that is cut off may be a valid one without its last rules: what is written in place is read until two looks a
moment apart find the same, and nobody has the file open for writing.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from extproc_router import regular_file
from extproc_router.config import document, loader
from extproc_router.encoder import manifest
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from io import BufferedReader

_STILL_SECONDS = 0.25
_LOOKS = 8
_MOST_BYTES = 64 * 1024 * 1024

_Stamp: TypeAlias = tuple[int, int, int, int]
"""Device, inode, size, time of the last change."""


class Seen(Struct, frozen=True):
    """The files at one moment.

    Attributes:
        text: of the config.
        artefact: SHA-256 of the artefact's manifest, which holds those of its other files.
        envoy: SHA-256 of the envoy.yaml.
        tokenizers: (path, SHA-256) of each that the config names.
    """

    text: bytes
    artefact: str
    envoy: str
    tokenizers: frozenset[tuple[str, str]]

    @property
    def version(self) -> str:
        """Of the config, as in `loader.Config`."""
        return loader.version_of(self.text)


class Looker:
    """Looks at a worker's files.

    Args:
        config: the policy.
        model: directory of the encoder artefact.
        envoy: the envoy.yaml, if any.
        pause: waits so many seconds, and returns whether we are to end.
    """

    def __init__(self, config: Path, model: Path, envoy: Path | None, pause: Callable[[float], bool]) -> None:
        self._config = config
        self._model = model
        self._envoy = envoy
        self._pause = pause

    def look(self, tokenizers: Collection[str], text: bytes | None = None) -> Seen:
        """Look once.

        Args:
            tokenizers: the paths that matter.
            text: stands in for the config file's.

        Raises:
            StartupError: the config or the envoy.yaml cannot be read.
        """
        return self._look(tokenizers, text)[0]

    def still(self, tokenizers: Collection[str]) -> Seen:
        """Look until nothing moves; as in `look`.

        Raises:
            StartupError: it does not come to rest, either.
        """
        before = self._look(tokenizers)
        for _ in range(_LOOKS):
            if self._pause(_STILL_SECONDS):
                raise StartupError("the router is ending")
            now = self._look(tokenizers)
            if now == before and not now[2]:
                return now[0]
            before = now
        raise StartupError(f"{self._config}: it, or the envoy.yaml, is still being written")

    def _look(self, tokenizers: Collection[str], text: bytes | None = None) -> tuple[Seen, list[_Stamp], bool]:
        stamps: list[_Stamp] = []
        written = False

        def read(path: Path, most: int) -> bytes:
            nonlocal written
            try:
                with regular_file.opened(path, most) as file:
                    stamps.append(_stamp(file))
                    written = written or regular_file.is_being_written(file)
                    return file.read(most)
            except (OSError, ValueError) as error:  # ValueError: a NUL in the path
                raise StartupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error

        seen = Seen(
            text=read(self._config, document.MAX_BYTES) if text is None else text,
            artefact=_digest(self._model / manifest.FILE_NAME),
            envoy=hashlib.sha256(read(self._envoy, _MOST_BYTES)).hexdigest() if self._envoy else "",
            tokenizers=frozenset((path, _digest(Path(path))) for path in tokenizers),
        )
        return seen, stamps, written


def _stamp(file: BufferedReader) -> _Stamp:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _digest(path: Path) -> str:
    """Hash a file; the same for each that cannot be read, since whoever needs it will say why."""
    try:
        with regular_file.opened(path, _MOST_BYTES) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return ""
