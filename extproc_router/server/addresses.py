"""Where to listen: `host:port` or `unix:/path`, refused where somebody else already does."""

from __future__ import annotations

import glob
import socket
import stat
from pathlib import Path

from msgspec import Struct

from extproc_router.errors import StartupError

_UNIX = "unix:"
_PROBE_SECONDS = 1.0
# sun_path is 108 bytes with its terminator; a worker binds the path with its process id behind it (socket_file.py).
_MAX_UNIX_PATH_BYTES = 95
_MAX_PORT = 65535


class Address(Struct, frozen=True):
    """One address: `path` for a unix socket, else `host` and `port`."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"{_UNIX}{self.path}" if self.path else f"{self.host}:{self.port}"


def parse(text: str) -> Address:
    """Read `host:port`, `[v6]:port`, `:port` or `unix:/path`.

    Raises:
        StartupError: none of these.
    """
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        if not path.startswith("/"):
            raise StartupError(f"{text!r}: a unix socket needs an absolute path, as in unix:/run/extproc.sock")
        if len(path.encode()) > _MAX_UNIX_PATH_BYTES:
            raise StartupError(f"{text!r}: a unix socket's path has at most {_MAX_UNIX_PATH_BYTES} bytes")
        return Address(path=path)
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
        raise StartupError(f"{text!r}: expected host:port or unix:/path")
    return Address(host=host or "0.0.0.0", port=int(port))


def claim(address: Address) -> None:
    """Make sure that nobody else serves this address, and that a dead server's socket file is out of the way.

    gRPC would bind over a live server's socket without a word, and take its traffic.

    Raises:
        StartupError: somebody does, or the path is not ours to use.
    """
    if not address.path:
        return  # gRPC itself refuses a taken port, unless workers share it on purpose
    path = Path(address.path)
    if not path.parent.is_dir():
        raise StartupError(f"{address}: the directory {path.parent} does not exist")
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        raise StartupError(f"{address}: a file that is no socket is in the way")
    if _is_served(path, address):
        raise StartupError(f"{address}: another server is listening there")
    # What servers that died left behind: the public name, and the private ones (socket_file.py).
    for left in (path, *path.parent.glob(f"{glob.escape(path.name)}.[0-9]*")):
        if left.is_socket() and not _is_served(left, address):
            left.unlink(missing_ok=True)


def _is_served(path: Path, address: Address) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError as error:
            raise StartupError(f"{address}: cannot tell whether it is in use: {error}") from error
    return True


def for_worker(template: str, worker: int, workers: int) -> str:
    """Return one worker's address from a template in which `{worker}` stands for its index.

    Raises:
        StartupError: several workers, one unix socket: the kernel cannot share it between them.
    """
    if "{worker}" in template:
        return template.replace("{worker}", str(worker))
    if workers > 1 and template.startswith(_UNIX):
        raise StartupError(
            f"{template!r}: workers cannot share a unix socket; write e.g. unix:/run/extproc-{{worker}}.sock"
        )
    return template
