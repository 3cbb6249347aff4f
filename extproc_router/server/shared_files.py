"""Files that several processes share: whole or not at all, one writer at a time, locked while their owner lives.

Nothing is followed, waited for or taken that others may have put there: neither links nor pipes, nor directories in
which others may write.

A lock is the kernel's (flock): it goes with its process, however that ends, and is seen from other containers too,
where process ids mean nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK_SECONDS = 2.0
_POLL_SECONDS = 0.01
_MODE = 0o600  # for the owner alone
_SAFELY = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would be waited for
_MOST_BYTES = 128 * 1024 * 1024


def private(directory: Path) -> None:
    """Make sure that nobody else can put files into a directory.

    Raises:
        OSError: there is none, it is a link, belongs to another user, or others may write in it.
    """
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, f"{directory} is no directory")
    if found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"{directory} belongs to another user (id {found.st_uid})")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, f"others may write in {directory} (chmod go-w)")


@contextmanager
def turn(lock: Path) -> Iterator[None]:
    """Hold a lock file, which is made where it is missing.

    Raises:
        TimeoutError: another process holds it, and may be frozen.
        OSError: it cannot be had.
    """
    handle = _open(lock, os.O_RDWR | os.O_CREAT)
    try:
        end = time.monotonic() + _LOCK_SECONDS
        while not _take(handle, fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise TimeoutError(0, "another process holds its lock")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def write(path: Path, data: bytes) -> int:
    """Write a file anew, for its owner alone. To be called by one process at a time.

    Returns:
        Its descriptor, which is the caller's to close: until then the file is locked.

    Raises:
        OSError: it cannot be written; what was there before is there still.
    """
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)  # of a process that died here
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, _MODE)
    try:
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(data)
        os.fsync(handle)
        _take(handle, fcntl.LOCK_EX)
        draft.rename(path)
    except BaseException:
        os.close(handle)
        draft.unlink(missing_ok=True)
        raise
    return handle


def append(path: Path, line: bytes) -> None:
    """Append to a file, which is made where it is missing.

    Raises:
        OSError: it cannot be, or not wholly.
    """
    handle = _open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with os.fdopen(handle, "wb") as file:
        file.write(line)
        file.flush()
        os.fsync(handle)


def read(path: Path) -> tuple[bytes, bool]:
    """Return what is in a file, and whether somebody holds it.

    Raises:
        OSError: it cannot be read, is no regular file, or absurdly large.
    """
    while True:
        handle = _open(path, os.O_RDONLY)
        with os.fdopen(handle, "rb") as file:
            held = not _take(handle, fcntl.LOCK_SH)
            # Its owner may just have put another in its place and let this one go.
            if held or os.fstat(handle).st_ino == path.stat().st_ino:
                data = file.read(_MOST_BYTES + 1)
                if len(data) > _MOST_BYTES:
                    raise OSError(errno.EFBIG, f"{path} is larger than anything that is kept")
                return data, held


def _open(path: Path, flags: int) -> int:
    """Open a regular file, made where it is missing and `flags` say so."""
    handle = os.open(path, flags | _SAFELY, _MODE)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, f"{path} is no regular file")
    return handle


def _take(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
