from __future__ import annotations

import os
from pathlib import Path

import pytest

from extproc_router import regular_file


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_bytes(b"1234")
    link.symlink_to("a")
    assert regular_file.read(link, 4) == b"1234"
    with pytest.raises(OSError, match="larger than 3 bytes"):
        regular_file.read(path, 3)
    with pytest.raises(FileNotFoundError):
        regular_file.read(tmp_path / "none", 3)
    with pytest.raises(ValueError, match="null"):
        regular_file.read(tmp_path / "a\0b", 3)


def test_what_hangs_or_never_ends_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    open_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="no plain file"):
            regular_file.read(path, 10)
    with pytest.raises(IsADirectoryError):
        regular_file.read(tmp_path, 10)
    assert len(os.listdir("/proc/self/fd")) == open_files  # noqa: PTH208


def test_what_grows_meanwhile_is_refused() -> None:
    with pytest.raises(OSError, match="larger than 3 bytes"):
        regular_file.read(Path("/proc/self/stat"), 3)  # it says that it is empty


def test_who_writes_is_seen_where_the_system_tells(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    with regular_file.opened(path, 1) as file:
        assert not regular_file.is_being_written(file)
        with path.open("ab"):
            assert regular_file.is_being_written(file)
        assert not regular_file.is_being_written(file)
    with regular_file.opened(Path("/proc/self/stat"), 1) as file:
        assert not regular_file.is_being_written(file)
