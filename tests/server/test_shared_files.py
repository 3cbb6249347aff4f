from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from extproc_router.server import shared_files


def test_a_file_is_its_owners_alone_and_held_until_it_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "a"

    handle = shared_files.write(path, b"one")

    assert shared_files.read(path) == (b"one", True)
    assert path.stat().st_mode & 0o777 == 0o600
    os.close(handle)
    assert shared_files.read(path) == (b"one", False)


def test_a_file_that_is_written_anew_is_held_all_the_while(tmp_path: Path) -> None:
    path, held = tmp_path / "a", shared_files.write(tmp_path / "a", b"0")
    with ThreadPool(1) as pool:
        seen = pool.apply_async(lambda: [shared_files.read(path) for _ in range(2000)])
        for turn in range(200):
            before, held = held, shared_files.write(path, b"%d" % turn)
            os.close(before)
        assert all(alive for _, alive in seen.get())
    os.close(held)


def test_the_kernel_lets_go_of_what_a_killed_process_held(tmp_path: Path) -> None:
    path = tmp_path / "a"
    code = f"""
import os, signal
from pathlib import Path
from extproc_router.server import shared_files
shared_files.write(Path({str(path)!r}), b"x")
print("held", flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"held\n"
        assert shared_files.read(path) == (b"x", True)
        child.kill()
    assert shared_files.read(path) == (b"x", False)


def test_what_a_dead_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".a").write_bytes(b"half of")

    os.close(shared_files.write(tmp_path / "a", b"all of it"))

    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"all of it"


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    with pytest.raises(IsADirectoryError):
        shared_files.write(tmp_path / "a", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_appending(tmp_path: Path) -> None:
    for line in (b"1\n", b"2\n"):
        shared_files.append(tmp_path / "a", line)

    assert (tmp_path / "a").read_bytes() == b"1\n2\n"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_nobody_is_led_elsewhere_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"keep")
    (tmp_path / "link").symlink_to(tmp_path / "mine")

    with pytest.raises(OSError, match="symbolic links"):
        shared_files.append(tmp_path / "link", b"x")
    with pytest.raises(OSError, match="symbolic links"):
        shared_files.read(tmp_path / "link")
    assert (tmp_path / "mine").read_bytes() == b"keep"


def test_a_pipe_or_a_directory_is_neither_waited_for_nor_kept_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    handles = len([*Path("/proc/self/fd").iterdir()])

    for name in ("pipe", "directory"):
        with pytest.raises(OSError, match=r"is no regular file|Is a directory|No such device"):
            shared_files.append(tmp_path / name, b"x")
        with pytest.raises(OSError, match="is no regular file"):
            shared_files.read(tmp_path / name)
    assert len([*Path("/proc/self/fd").iterdir()]) == handles


def test_what_is_absurdly_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_files, "_MOST_BYTES", 3)
    (tmp_path / "a").write_bytes(b"123")
    assert shared_files.read(tmp_path / "a") == (b"123", False)
    (tmp_path / "a").write_bytes(b"1234")
    with pytest.raises(OSError, match="is larger than anything that is kept"):
        shared_files.read(tmp_path / "a")


def test_turns_are_taken_and_waited_for_within_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_files, "_LOCK_SECONDS", 0.0)

    with (
        shared_files.turn(tmp_path / "lock"),
        pytest.raises(TimeoutError, match="another process holds its lock"),
        shared_files.turn(tmp_path / "lock"),
    ):
        raise AssertionError
    with shared_files.turn(tmp_path / "lock"):
        pass
