"""The test tree mirrors the source tree, and rooms stay small."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Protocols and parsers' wiring have nothing to run by themselves; what they declare is tested where it is used.
UNMIRRORED = {
    "attempts.py",
    "candidates.py",
    "errors.py",
    "evaluation/arrays.py",
    "evaluation/findings.py",
    "extproc/commands.py",
    "extproc/events.py",
    "policy/base.py",
    "policy/rules.py",
    "server/observer.py",
    "training/rows.py",
    "training/tiny_model.py",  # `make test-vllm` runs it, in vLLM's environment
    "types.py",
}
# One test drives all commands through `main`; those of the lab have their own.
COMMANDS = "cli/"
GENERATED = "v1/"


def sources(root: Path) -> list[str]:
    package = root / "extproc_router"
    found = (path.relative_to(package).as_posix() for path in package.rglob("*.py"))
    return sorted(path for path in found if not path.endswith(("__init__.py", "__main__.py")) and GENERATED not in path)


def test_every_module_has_its_test(root: Path) -> None:
    missing = []
    for source in sources(root):
        folder, _, name = source.rpartition("/")
        mirrored = root / "tests" / folder / f"test_{name}"
        if not mirrored.exists() and source not in UNMIRRORED and not source.startswith(COMMANDS):
            missing.append(source)
    assert missing == []


def test_every_exception_to_it_is_real(root: Path) -> None:
    assert set(sources(root)) >= UNMIRRORED


def test_no_module_grows_out_of_its_room(root: Path) -> None:
    package = root / "extproc_router"
    long = {source: len((package / source).read_text().splitlines()) for source in sources(root)}
    assert {source: lines for source, lines in long.items() if lines > 350} == {}


def test_nothing_is_told_to_anybody() -> None:
    """ONNX Runtime reports its starts unless the variable stands before it is imported."""
    program = "import extproc_router.encoder, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    bare = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    said = subprocess.run([sys.executable, "-c", program], env=bare, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "1"
