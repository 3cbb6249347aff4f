from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab import probes
from extproc_router.lab import stack as lab

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_json_lines_are_read_while_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert lab.read_json_lines(path) == []

    path.write_text('{"a": 1}\nsome other line\n{"a": 2}\n{"a": 3')
    assert lab.read_json_lines(path) == [{"a": 1}, {"a": 2}]


def test_the_workspace_is_removed_and_short_enough_for_a_socket() -> None:
    with lab.workspace() as directory:
        assert directory.is_dir()
        assert len(str(directory / "extproc.sock")) < 100
        (directory / "extproc.sock").touch()
    assert not directory.exists()


def test_the_public_port_is_the_usual_one_unless_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "is_free", lambda port: True)
    assert lab.public_port() == 8080

    monkeypatch.setattr(lab, "is_free", lambda port: False)
    port = lab.public_port()
    assert port != 8080
    assert probes.is_free(port)
