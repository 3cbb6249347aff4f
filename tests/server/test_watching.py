"""Real files in real directories; and a scripted watcher for what no file system does on demand."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab import swapping
from extproc_router.server import watching

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

SECONDS = 30


class Ears:
    """Hear what is told."""

    def __init__(self) -> None:
        self.loud = asyncio.Event()
        self.quiet = asyncio.Event()

    def __call__(self, loud: bool) -> None:
        (self.loud if loud else self.quiet).set()

    async def hear(self, change: Callable[[], object]) -> None:
        """Change something, and wait until it is told."""
        self.loud.clear()
        self.quiet.clear()
        await asyncio.to_thread(change)
        await asyncio.wait_for(self.loud.wait(), SECONDS)


@asynccontextmanager
async def watched(*paths: Path) -> AsyncIterator[Ears]:
    """Watch files, from the moment at which nothing can be missed any more."""
    ears = Ears()
    task = asyncio.create_task(watching.watch(lambda: paths, ears))
    await asyncio.wait_for(ears.quiet.wait(), SECONDS)
    try:
        yield ears
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def as_kubernetes(path: Path) -> None:
    swapping.mount(path, "new", 7)


def as_careful_people(path: Path) -> None:
    swapping.rename(path, "new")


def as_vim(path: Path) -> None:
    path.rename(f"{path}~")
    path.write_text("new")
    os.unlink(f"{path}~")  # noqa: PTH108 - as above


def as_emacs(path: Path) -> None:
    swap = path.with_name(f"#{path.name}#")
    swap.write_text("new")
    path.rename(f"{path}~")
    swap.rename(path)


def as_a_shell(path: Path) -> None:
    with path.open("w") as file:
        file.write("new")


def as_nobody_should(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    "change",
    [as_kubernetes, as_careful_people, as_vim, as_emacs, as_a_shell, as_nobody_should],
    ids=lambda f: f.__name__,
)
def test_every_way_of_changing_a_file_is_told(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "router.yaml"
    path.write_text("old")

    async def main() -> None:
        async with watched(path) as ears:
            await ears.hear(lambda: change(path))

    asyncio.run(main())


def test_the_links_of_a_config_map_are_watched_update_after_update(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    swapping.mount(path, "0", 0)

    async def main() -> None:
        async with watched(path) as ears:
            for edition in range(1, 4):
                await ears.hear(lambda edition=edition: swapping.mount(path, str(edition), edition))  # type: ignore[misc]
                # The links lead elsewhere now: it watches anew, and says that it was away.
                await asyncio.wait_for(ears.quiet.wait(), SECONDS)

    asyncio.run(main())


def test_a_file_that_is_deleted_and_comes_back_is_told_twice(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.touch()

    async def main() -> None:
        async with watched(path) as ears:
            await ears.hear(path.unlink)
            await ears.hear(path.touch)

    asyncio.run(main())


def test_a_directory_that_is_replaced_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "model" / "manifest.json"
    path.parent.mkdir()
    path.write_text("old")
    (tmp_path / "new").mkdir()

    def replace() -> None:
        path.parent.rename(tmp_path / "old")
        (tmp_path / "new").rename(path.parent)

    async def main() -> None:
        async with watched(path) as ears:
            await ears.hear(replace)
            await asyncio.wait_for(ears.quiet.wait(), SECONDS)
            await ears.hear(lambda: path.write_text("new"))
            await ears.hear(lambda: shutil.rmtree(path.parent))

    asyncio.run(main())


def test_a_link_to_a_directory_is_followed(tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(name)
    current = tmp_path / "current"
    current.symlink_to("v1")

    def switch() -> None:
        spare = tmp_path / "spare"
        spare.symlink_to("v2")
        spare.replace(current)

    async def main() -> None:
        async with watched(current / "manifest.json") as ears:
            await ears.hear(switch)
            await asyncio.wait_for(ears.quiet.wait(), SECONDS)
            await ears.hear(lambda: (tmp_path / "v2" / "manifest.json").write_text("v3"))

    asyncio.run(main())


class Script:
    """A watcher that says what it is told to, once for each time that it is started."""

    def __init__(self, *rounds: Any) -> None:
        self.rounds = list(rounds)
        self.directories: list[set[str]] = []

    def __call__(self, *directories: Path, stop_event: threading.Event, **_: object) -> Any:
        self.directories.append({str(directory) for directory in directories})
        return self._say(self.rounds.pop(0) if self.rounds else [], stop_event)

    async def _say(self, says: Any, stop: threading.Event) -> Any:
        if isinstance(says, Exception):
            raise says
        for path in says:
            yield {(1, str(path))}
        await asyncio.to_thread(stop.wait)


def test_other_files_of_the_directory_are_nobodys_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "router.yaml"
    script = Script([tmp_path / "decisions.jsonl", path, tmp_path], [])
    monkeypatch.setattr(watching, "awatch", script)
    told: list[bool] = []

    async def main() -> None:
        over = asyncio.Event()

        def tell(loud: bool) -> None:
            told.append(loud)
            if len(script.directories) == 2:
                over.set()

        task = asyncio.create_task(watching.watch(lambda: [path], tell))
        await asyncio.wait_for(over.wait(), SECONDS)
        task.cancel()

    asyncio.run(main())
    assert [loud for loud in told if loud] == [True, True]
    # Where the directory itself was told, it may be another one now.
    assert script.directories == [{str(tmp_path)}, {str(tmp_path)}]


def test_where_nothing_can_be_watched_it_is_said_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watching, "_RETRY_SECONDS", 0.0)
    full = OSError(24, "Too many open files")
    path = tmp_path / "router.yaml"
    monkeypatch.setattr(watching, "awatch", Script(full, RuntimeError("inotify"), FileNotFoundError(2, "gone"), [path]))

    async def main() -> None:
        loud = asyncio.Event()
        task = asyncio.create_task(watching.watch(lambda: [path], lambda seen: loud.set() if seen else None))
        await asyncio.wait_for(loud.wait(), SECONDS)
        task.cancel()

    asyncio.run(main())
    assert caplog.text.count("cannot be watched") == 1
    assert "Too many open files" in caplog.text


def test_a_name_that_no_file_can_have_hides_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.touch()

    async def main() -> None:
        async with watched(path, tmp_path / "a\0b", tmp_path / ("a" * 300) / "x") as ears:
            await ears.hear(lambda: path.write_text("new"))

    asyncio.run(main())
