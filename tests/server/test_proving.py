from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.lab import envoy_file, stack
from extproc_router.server.proving import PROGRAM, Prover

if TYPE_CHECKING:
    import pytest

FILE = "router.yaml"


def prover(script: str, **settings: Any) -> Prover:
    """One that runs a Python script in the place of `check`."""
    program = (sys.executable, "-c", script)
    return Prover(Path("e.yaml"), Path("m"), allow_unproved=settings.pop("allow", False), program=program, **settings)


def test_what_is_proved_has_no_mistakes() -> None:
    script = "import sys; sys.exit(sys.stdin.buffer.read() != b'text')"
    assert prover(script).mistakes(b"text", FILE) == ()


def test_mistakes_are_told_under_the_files_name_and_not_counted() -> None:
    script = """
import sys
for line in ("<stdin>:3: routing.default: unknown model", "e.yaml:9: not proved: odd", "privacy: not proved (1)"):
    print(line, file=sys.stderr)
print("e.yaml:1: warning: dull")
sys.exit(1)
"""
    told = prover(script).mistakes(b"", FILE)
    assert told == ("router.yaml:3: routing.default: unknown model", "e.yaml:9: not proved: odd")


def test_the_command_is_checks() -> None:
    script = "import sys; sys.exit(' '.join(sys.argv[1:]))"
    common = "check --config=- --envoy=e.yaml --model=m"
    assert prover(script).mistakes(b"", FILE) == (common,)
    assert prover(script, allow=True).mistakes(b"", FILE) == (f"{common} --allow-unproved",)
    assert prover(script, trusted=("a", "b")).mistakes(b"", FILE) == (f"{common} --trust=a --trust=b",)


def test_it_yields_to_everybody_else_and_writes_no_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nowhere")
    script = """
import os, sys, time
end = time.monotonic() + 20
while os.sched_getscheduler(0) != os.SCHED_IDLE and time.monotonic() < end:
    time.sleep(0.01)
sys.exit(f"{os.sched_getscheduler(0) == os.SCHED_IDLE} {os.environ.get('PROMETHEUS_MULTIPROC_DIR')}")
"""
    assert prover(script).mistakes(b"", FILE) == ("True None",)


def test_one_that_takes_too_long_proves_nothing() -> None:
    assert prover("import time; time.sleep(600)", seconds=0.2).mistakes(b"", FILE) == (
        "router.yaml: not proved within 0.2 s",
    )


def test_one_that_dies_proves_nothing() -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert prover(script).mistakes(b"x" * 1_000_000, FILE) == ("router.yaml: the proof ended with status -9",)


def test_a_program_that_is_missing_proves_nothing() -> None:
    [told] = Prover(Path("e"), Path("m"), allow_unproved=False, program=("/nowhere/at/all",)).mistakes(b"", FILE)
    assert "No such file" in told


def test_it_can_be_cut_short_and_then_begins_nothing(tmp_path: Path) -> None:
    began = tmp_path / "began"
    os.mkfifo(began)
    slow = prover(f"open({str(began)!r}, 'w').close(); import time; time.sleep(600)")
    found: list[tuple[str, ...]] = []
    thread = threading.Thread(target=lambda: found.append(slow.mistakes(b"", FILE)))
    thread.start()
    began.read_text()  # until it is opened
    slow.stop()
    thread.join(20)
    assert found == [("router.yaml: the proof ended with status -9",)]
    [told] = slow.mistakes(b"", FILE)
    assert "ending" in told


def test_the_real_proof(tmp_path: Path) -> None:
    text = stack.CONFIG.read_bytes()
    real = Prover(envoy_file.ENVOY_YAML, stack.MODEL, allow_unproved=False, program=PROGRAM)
    assert real.mistakes(text, FILE) == ()
    [told] = real.mistakes(text.replace(b"cluster: code", b"cluster: nobody"), FILE)
    assert told.startswith("router.yaml:17: models.2.cluster")
    # Without the route that holds private requests back, they reach the default.
    envoy = envoy_file.load()
    for manager in envoy_file._managers(envoy):
        for host in manager["route_config"]["virtual_hosts"]:
            host["routes"] = [route for route in host["routes"] if route["name"] != "private_undecided"]
    open_to_all = envoy_file.save(envoy, tmp_path / "envoy.yaml")
    text = text.replace(b"privacy: restricted", b"privacy: public")
    assert Prover(open_to_all, stack.MODEL, allow_unproved=True).mistakes(text, FILE) != ()
