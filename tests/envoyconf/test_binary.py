from __future__ import annotations

from pathlib import Path

import pytest

from extproc_router.envoyconf import binary
from extproc_router.errors import StartupError


@pytest.fixture
def envoy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in Envoy's place, to be written."""
    path = tmp_path / "envoy"
    monkeypatch.setenv(binary.VARIABLE, str(path))
    return path


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_file_is_accepted(envoy: Path) -> None:
    program(envoy, '[ "$*" = "--mode validate --log-level warning --config-path /a.yaml" ]')
    assert binary.validate(Path("/a.yaml")) == binary.Said(envoy, accepts=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "echo '[2026][1][critical][main] [a.cc:1] error: no field' >&2; echo 'and more' >&2; exit 1",
            "error: no field",
        ),
        ("echo 'a word' >&2; exit 1", "a word"),
        ("exit 3", "it ended with 3"),
    ],
)
def test_or_refused_with_a_reason(envoy: Path, text: str, why: str) -> None:
    program(envoy, text)
    said = binary.validate(Path("/a.yaml"))
    assert not said.accepts
    assert why in said.why


def test_one_that_does_not_end_is_not_waited_for(envoy: Path) -> None:
    program(envoy, "exec sleep 60")
    with pytest.raises(StartupError, match="does not end within"):
        binary.validate(Path("/a.yaml"), seconds=0.2)


def test_one_that_cannot_be_run_is_told(envoy: Path) -> None:
    with pytest.raises(StartupError, match="is no program"):
        binary.validate(Path("/a.yaml"))
    envoy.write_bytes(b"\x7fELF")
    envoy.chmod(0o755)
    with pytest.raises(StartupError, match="cannot run"):
        binary.validate(Path("/a.yaml"))


def test_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(binary.VARIABLE, raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartupError, match="no Envoy found"):
        binary.find()
