"""Telling that a file may have changed, by its directory: editors and Kubernetes put new files in place of old ones."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, TypeAlias

from watchfiles import awatch

from extproc_router.server import apart, links

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection
    from pathlib import Path

    from watchfiles.main import FileChange

_Way: TypeAlias = "frozenset[tuple[Path, int]]"
"""The entries that paths lead by, each with its directory's inode: another one of the same name is watched anew."""

log = logging.getLogger(__name__)

# What belongs together is told once: as soon as nothing more has come for a step, at the latest after the other.
_STEP_MS, _DEBOUNCE_MS = 50, 200
# So often it is looked whether the same directories are still the right ones.
_LOOK_MS = 5_000
# Where the kernel gives out no more watches.
_RETRY_SECONDS = 60.0


async def watch(paths: Callable[[], Collection[Path]], tell: Callable[[bool], None]) -> None:
    """Tell whenever one of some files may have changed, until cancelled.

    Args:
        paths: which; asked again and again. They need not exist.
        tell: called on the event loop, with whether something was seen to change. Without that it means: look for
            yourself, since nobody watched for a moment.
    """
    # It tells of every event in these directories, most of which are not ours.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    failing = False
    while True:
        try:
            way = await apart.run(lambda: _way(paths))
            await _watch_while_right(way, paths, tell)
            failing = False
        except FileNotFoundError:
            await asyncio.sleep(_STEP_MS / 1000)  # a directory has just gone
        except (OSError, RuntimeError) as error:  # RuntimeError: what the library's Rust half knows no name for
            if not failing:
                log.warning("files cannot be watched (%s): they are looked at now and then", error)
            failing = True
            await asyncio.sleep(_RETRY_SECONDS)


async def _watch_while_right(way: _Way, paths: Callable[[], Collection[Path]], tell: Callable[[bool], None]) -> None:
    """Watch the directories that some paths lead by, for as long as they do."""
    directories = {str(entry.parent) for entry, _ in way}
    ours = directories | {str(entry) for entry, _ in way}
    stop = threading.Event()
    changes = awatch(
        *directories,
        watch_filter=None,
        recursive=False,
        step=_STEP_MS,
        debounce=_DEBOUNCE_MS,
        rust_timeout=_LOOK_MS,
        yield_on_timeout=True,
        stop_event=stop,
    )
    coming = asyncio.create_task(_next(changes))
    try:
        await asyncio.sleep(0)  # now it watches: what changed before is for others to find
        if not coming.done():
            tell(False)
        while True:
            # Shielded: its own task group takes a cancellation that meets its end for its own, and swallows it.
            changed = await asyncio.shield(coming)
            if changed & ours:
                tell(True)
            # A directory that was moved or removed is told by its own name.
            if changed & directories or await apart.run(lambda: _way(paths)) != way:
                return
            coming = asyncio.create_task(_next(changes))
    finally:
        stop.set()
        await asyncio.wait([coming])
        await changes.aclose()


async def _next(changes: AsyncGenerator[set[FileChange], None]) -> set[str]:
    """Return what is told to have changed; nothing where it is told to stop."""
    return {path for _, path in await anext(changes, set())}


def _way(paths: Callable[[], Collection[Path]]) -> _Way:
    return frozenset((entry, _inode(entry.parent)) for entry in links.all_entries(paths()))


def _inode(directory: Path) -> int:
    try:
        return directory.stat().st_ino
    except (OSError, ValueError):
        return 0  # it has just gone
