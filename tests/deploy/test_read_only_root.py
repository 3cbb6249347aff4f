"""The router lives on a root that it cannot write to, with nothing but the directory of its socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from extproc_router.lab import stack

# In a namespace of its own: a tmpfs where the socket goes, everything else read-only, and proof that it is.
SCRIPT = """
set -e
mount -t tmpfs -o size=1m tmpfs "$SOCKETS"
findmnt -rno TARGET | grep -vE "^(/proc|/sys|/dev)(/|$)|^$SOCKETS$" | while read -r target; do
    mount -o remount,bind,ro "$target"
done
if touch "$ROOT/written" 2>/dev/null; then rm "$ROOT/written"; echo "the root is not read-only"; exit 1; fi
exec "$@"
"""
NAMESPACE = (
    "unshare",
    *(() if os.geteuid() == 0 else ("--user", "--map-root-user")),
    "--mount",
    "--propagation=private",
)


@pytest.fixture
def read_only(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False, stderr=-3).returncode:
        pytest.skip("this machine gives out no mount namespaces")
    variables = {**environment, "PATH": os.environ["PATH"], "HOME": "/"}
    monkeypatch.setenv("ROOT", sys.prefix)
    settings = (f"{name}={value}" for name, value in variables.items())
    return (*NAMESPACE, "sh", "-c", SCRIPT, "sh", "env", "-i", *settings, sys.executable, "-m", "extproc_router")


def test_it_serves_and_has_nothing_to_complain_of(read_only: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    with stack.workspace() as directory:
        monkeypatch.setenv("SOCKETS", str(directory))
        with stack.router(directory, program=read_only, arguments=[f"--state={directory}/state"]) as router:
            log = router.child.tail()
    assert "ready on unix:" in log
    assert "WARNING" not in log
    assert "onnxruntime" not in log  # its telemetry is the one thing that would write to HOME
