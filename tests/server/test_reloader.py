from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.server import reloader as reloading
from extproc_router.server import watching
from extproc_router.server.reloader import Applied, Rejected, Reloader, Unchanged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from extproc_router.server.reloader import Outcome

SECONDS = 30
BAD = Rejected("bad", ("router.yaml:1: a: b", "router.yaml:2: c: d"))


class Source:
    """Gives what a test puts in, and keeps what it is given back."""

    def __init__(self) -> None:
        self.version = "v0"
        self.outcomes: list[Any] = []
        self.settled: list[Outcome] = []
        self.renewals = 0
        self.stopped = False
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.news = asyncio.Queue[Any]()
        self.loop = asyncio.get_running_loop()

    def watched(self) -> list[Path]:
        return []

    def renew(self) -> Outcome:
        self.renewals += 1
        self.entered.set()
        assert self.go_on.wait(SECONDS)
        outcome = self.outcomes.pop(0) if self.outcomes else Unchanged()
        self.loop.call_soon_threadsafe(self.news.put_nowait, "renewed")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def settle(self, outcome: Outcome) -> None:
        self.settled.append(outcome)
        self.loop.call_soon_threadsafe(self.news.put_nowait, outcome)

    def stop(self) -> None:
        self.stopped = True

    async def until(self, wanted: object) -> None:
        while await asyncio.wait_for(self.news.get(), SECONDS) != wanted:
            pass


@pytest.fixture(autouse=True)
def nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(watching, "watch", never)


@asynccontextmanager
async def running(*outcomes: Any) -> AsyncIterator[tuple[Reloader, Source, list[Any]]]:
    source, swapped = Source(), list[Any]()
    source.outcomes += outcomes
    reloader = Reloader(source)
    task = asyncio.create_task(reloader.run(swapped.append))
    try:
        yield reloader, source, swapped
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert source.stopped


def new(version: str) -> Applied:
    return Applied(version, "e1", version)  # type: ignore[arg-type]  # it is handed on as it is


def test_what_is_new_is_swapped_in_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running(new("v1"), new("v2")) as (reloader, source, swapped):
            for version in ("v1", "v2"):
                reloader.ask()
                await source.until(new(version))
            assert swapped == ["v1", "v2"]

    with caplog.at_level(logging.INFO, "extproc_router"):
        asyncio.run(main())
    assert "config v1 applied in " in caplog.text
    assert "encoder e1" in caplog.text


def test_what_is_refused_is_said_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running(BAD, Rejected("", ("gone",))) as (reloader, source, swapped):
            reloader.ask()
            await source.until(BAD)
            reloader.ask()
            await source.until(Rejected("", ("gone",)))
            assert swapped == []

    asyncio.run(main())
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "config bad not applied, v0 stays: 2 mistakes",
        "router.yaml:1: a: b",
        "router.yaml:2: c: d",
        "config (unreadable) not applied, v0 stays: 1 mistake",
        "gone",
    ]


def test_what_is_asked_meanwhile_is_one_look_more() -> None:
    async def main() -> None:
        async with running(new("v1"), new("v2")) as (reloader, source, swapped):
            source.go_on.clear()
            reloader.ask()
            assert await asyncio.to_thread(source.entered.wait, SECONDS)
            for _ in range(100):
                reloader.ask()
            source.go_on.set()
            await source.until(new("v2"))
            assert (source.renewals, swapped) == (2, ["v1", "v2"])

    asyncio.run(main())


def test_a_look_that_nobody_asked_for_says_only_what_is_new() -> None:
    async def main() -> None:
        # Nothing; refused, twice; mended; refused; new.
        told = [BAD, Unchanged(), BAD, new("v1")]
        async with running(Unchanged(), BAD, BAD, Unchanged(), BAD, new("v1")) as (reloader, source, _):
            for _ in range(6):
                reloader.ask(loud=False)
                await source.until("renewed")
            await source.until(new("v1"))
            assert source.settled == told

    asyncio.run(main())


def test_who_asks_is_told_that_nothing_has_changed(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running() as (reloader, source, _):
            reloader.ask()
            await source.until(Unchanged())

    with caplog.at_level(logging.INFO, "extproc_router"):
        asyncio.run(main())
    assert "config v0 stays: nothing has changed" in caplog.text


def test_it_looks_by_itself_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "_POLL_SECONDS", 0.01)

    async def main() -> None:
        async with running(Unchanged(), new("v1")) as (_, source, _swapped):
            await source.until(new("v1"))

    asyncio.run(main())


def test_a_defect_of_ours_keeps_what_runs_and_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        secret = "quo" + "ted"  # in one piece it would stand in the traceback's source line
        async with running(ValueError(secret), new("v1")) as (reloader, source, swapped):
            reloader.ask()
            await source.until(Rejected("", ("internal error: ValueError",)))
            reloader.ask()
            await source.until(new("v1"))
            assert swapped == ["v1"]

    asyncio.run(main())
    assert "ValueError" in caplog.text
    assert "quoted" not in caplog.text


def test_what_dies_begins_anew_and_says_so(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the watcher nor what is kept of an outcome may end reloading."""
    monkeypatch.setattr(reloading, "_AGAIN_SECONDS", 0.0)
    watchers: list[str] = []
    watched = asyncio.Event()

    async def dies(*_: object) -> None:
        watchers.append("one")
        if len(watchers) < 3:
            raise ValueError("quo" + "ted")
        watched.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(watching, "watch", dies)

    async def main() -> None:
        async with running(new("v1"), new("v2")) as (reloader, source, swapped):
            settle = source.settle

            def fails(_: Outcome) -> None:
                source.settle = settle  # type: ignore[method-assign]
                source.loop.call_soon_threadsafe(source.news.put_nowait, "failed")
                raise OSError("quo" + "ted")

            source.settle = fails  # type: ignore[assignment, method-assign]
            reloader.ask()
            await source.until("failed")
            reloader.ask()
            await source.until(new("v2"))
            assert swapped == ["v1", "v2"]
            await asyncio.wait_for(watched.wait(), SECONDS)

    asyncio.run(main())
    assert caplog.text.count("reloading failed, and begins anew") == 3
    assert "quoted" not in caplog.text


def test_a_source_can_be_cut_short() -> None:
    async def main() -> None:
        source = Source()
        Reloader(source).cut_short()
        assert source.stopped

    asyncio.run(main())
