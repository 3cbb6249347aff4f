"""Configs that ran once, from the state that `serve` keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.config import loader
from extproc_router.config.loader import Config
from extproc_router.errors import ConfigError, StartupError
from extproc_router.server import state

if TYPE_CHECKING:
    from pathlib import Path


class Kept(Struct, frozen=True):
    """A version that ran.

    Attributes:
        config: what it says; its document has the path that the file had, which files that it names are looked for by.
        encoder_version: of the artefact that it ran with last; empty where nobody noted it.
    """

    config: Config
    encoder_version: str

    def notes(self, encoder_version: str) -> tuple[str, ...]:
        """Say what has changed since: the artefact, where it is another now."""
        if self.encoder_version in {"", encoder_version}:
            return ()
        ran = f"version {self.config.version} last ran with encoder {self.encoder_version}"
        return (f"{ran}; prompts are read by {encoder_version} here, and what it says may differ",)


def find(directory: Path, prefix: str) -> Kept:
    """Find a version.

    Args:
        directory: of the state.
        prefix: the first digits of its hash.

    Raises:
        StartupError: it is not kept, or cannot be told from others; or this release does not understand it.
    """
    full, text, file = state.text_of(directory, prefix)
    try:
        config = loader.load(text, file)
    except ConfigError as error:
        raise StartupError(
            f"version {full[:12]} ran once, and this release does not understand it:\n{error}"
        ) from error
    ran = [entry.encoder_version for entry in state.history(directory) if entry.version == config.version]
    return Kept(config, ran[-1] if ran else "")


def behind(directory: Path | None, logged: str, given: Config) -> tuple[Config, str]:
    """Find the config that a logged decision was made by.

    Args:
        directory: of the state; None where nobody knows of one.
        logged: the version that the log names.
        given: the config that is told under if there is no better.

    Returns:
        The config; and what has to be said of it, empty where it is the one that was given.
    """
    if directory is None or logged == given.version:
        return given, ""
    try:
        kept = find(directory, logged)
    except StartupError as error:
        return given, f"the config that decided it is not at hand: {error}"
    return kept.config, f"told under version {logged}, which decided it and is kept in {directory}"
