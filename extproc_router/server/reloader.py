"""Keeping what runs in step with its files: look, build, swap, or say why not. One attempt at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from extproc_router.server import apart, watching
from extproc_router.server.hardening import told
from extproc_router.server.service import Runtime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from pathlib import Path

log = logging.getLogger(__name__)

# In case that a file system tells nothing; what was refused for a reason that passes is tried again by it, too.
_POLL_SECONDS = 30.0
# After a defect of ours.
_AGAIN_SECONDS = 5.0


class Applied(Struct, frozen=True):
    """There is something new.

    Attributes:
        version: of its config.
        encoder_version: of the artefact that it reads prompts with.
        runtime: what new streams shall begin with.
    """

    version: str
    encoder_version: str
    runtime: Runtime


class Rejected(Struct, frozen=True):
    """What stands in the files cannot run.

    Attributes:
        version: of the config that was tried; empty where none could be read.
        mistakes: each a line for people.
    """

    version: str
    mistakes: tuple[str, ...]


class Unchanged(Struct, frozen=True):
    """What stands in the files runs already."""


Outcome: TypeAlias = Applied | Rejected | Unchanged


class Source(Protocol):
    """What is built from files.

    `renew` and `settle` wait for disks and processes: they are called on a thread, one at a time.
    """

    @property
    def version(self) -> str:
        """Of the config that runs."""

    def watched(self) -> Collection[Path]:
        """Return the files that it is built from; called from any thread, at any time."""

    def renew(self) -> Outcome:
        """Read the files, and build anew where they have changed."""

    def settle(self, outcome: Outcome) -> None:
        """Keep what came of it. Where there is something new, it serves by now."""

    def stop(self) -> None:
        """Cut `renew` short; called from any thread, at any time."""


class Reloader:
    """Looks when it is asked to, when a file changes, and now and then.

    Args:
        source: builds.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._wake = asyncio.Event()
        self._loud = False
        self._last: Outcome = Unchanged()

    def ask(self, loud: bool = True) -> None:  # noqa: FBT001, FBT002 - who asks on purpose says nothing
        """Have it look; what is asked meanwhile is one look more.

        Args:
            loud: whether it is told, too, that nothing has changed, or that the same mistakes are still there.
        """
        self._loud = self._loud or loud
        self._wake.set()

    async def run(self, swap: Callable[[Runtime], None]) -> None:
        """Reload until cancelled.

        Args:
            swap: called on the event loop with what new streams shall begin with.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_keep(lambda: watching.watch(self._source.watched, self.ask)))
                await _keep(lambda: self._look_whenever(swap))
        finally:
            self._source.stop()

    def cut_short(self) -> None:
        """Have the source end what it builds; for good."""
        self._source.stop()

    async def _look_whenever(self, swap: Callable[[Runtime], None]) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            loud, self._loud = self._loud, False
            await self._look(swap, loud=loud)

    async def _look(self, swap: Callable[[Runtime], None], *, loud: bool) -> None:
        started, before = time.monotonic(), self._source.version
        outcome = await apart.run(self._attempt)
        if not loud and outcome == self._last and not isinstance(outcome, Applied):
            return
        if isinstance(outcome, Applied):
            swap(outcome.runtime)
            log.info(
                "config %s applied in %.2f s, %s before; encoder %s",
                outcome.version,
                time.monotonic() - started,
                before,
                outcome.encoder_version,
            )
        elif isinstance(outcome, Rejected):
            tried, count = outcome.version or "(unreadable)", len(outcome.mistakes)
            log.error("config %s not applied, %s stays: %d mistake%s", tried, before, count, "s"[: count != 1])
            for mistake in outcome.mistakes:
                log.error("%s", mistake)
        else:
            log.info("config %s stays: nothing has changed", before)
        self._last = outcome if isinstance(outcome, Rejected) else Unchanged()
        await apart.run(lambda: self._source.settle(outcome))

    def _attempt(self) -> Outcome:
        try:
            return self._source.renew()
        except Exception as error:  # noqa: BLE001 - a defect of ours: what runs must go on
            # Its message may quote what it failed at.
            log.error("a reload failed: %s", told(error))  # noqa: TRY400 - see above
            return Rejected("", (f"internal error: {type(error).__name__}",))


async def _keep(work: Callable[[], Awaitable[None]]) -> None:
    """Have something go on for ever: without it, nothing would be reloaded any more, and nobody would know."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a defect of ours
            log.error("reloading failed, and begins anew in %g s: %s", _AGAIN_SECONDS, told(error))  # noqa: TRY400 - it may quote
        await asyncio.sleep(_AGAIN_SECONDS)
