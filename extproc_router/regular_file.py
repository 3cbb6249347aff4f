"""Reading what is to be a plain file: a pipe would hang whoever opens it, and a device may never end."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path


def opened(path: Path, most: int) -> BufferedReader:
    """Open a file for reading.

    Args:
        path: of it; links are followed.
        most: how many bytes it may have.

    Raises:
        OSError: it cannot be read, is no plain file, or is larger.
        ValueError: this can be no path.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and found.st_size <= most:
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISREG(found.st_mode):
        raise _too_large(path, most)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "no plain file", str(path))


def read(path: Path, most: int) -> bytes:
    """Return what is in a file; as in `opened`."""
    with opened(path, most) as file:
        content = file.read(most + 1)
    if len(content) > most:  # it has grown
        raise _too_large(path, most)
    return content


def is_being_written(file: BufferedReader) -> bool:
    """Return whether some process holds it open for writing; False, too, where the system does not tell us."""
    try:
        # Who opens it for writing in the moment between these lines waits for the end of it. The kernel would tell us
        # by a signal whose default ends the process; this one's does nothing.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False  # another user's file, or a file system without leases
    return False


def _too_large(path: Path, most: int) -> OSError:
    return OSError(errno.EFBIG, f"larger than {most} bytes", str(path))
