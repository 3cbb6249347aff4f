from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from extproc_router import cli
from extproc_router.cli import serve
from extproc_router.encoder import recent
from extproc_router.errors import StartupError


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    try:
        status = cli.main(list(argv))
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Run:
    return lambda *argv: run(capsys, *argv)


def test_help_teaches_every_command(command: Run) -> None:
    status, out, _ = command("--help")
    assert status == 0
    for name in cli.COMMANDS:
        assert re.search(rf"^    {name}\s", out, re.MULTILINE)
        status, shown, _ = command(name, "--help")
        assert status == 0
        assert "usage: extproc-router " + name in shown


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["none"],
        ["serve", "--workers", "0"],
        ["serve", "--drain-seconds", "-1"],
        ["serve", "--listen", "foo"],
        ["serve", "--verify-listen", "unix:/run/v-{worker}.sock"],
        ["serve", "--remember", "-1"],
        ["check", "x"],
    ],
)
def test_usage_is_2(command: Run, argv: list[str]) -> None:
    assert command(*argv)[0] == 2


def test_serve_remembers_as_much_as_the_encoder_does() -> None:
    assert serve.REMEMBERED == recent.ENTRIES


def test_a_reader_that_has_seen_enough_is_no_traceback() -> None:
    command = f"{sys.executable} -u -m extproc_router explain --json hello | head -c 1"
    said = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in said.stderr


def test_an_unknown_log_level_is_a_stated_failure(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTPROC_ROUTER_LOG_LEVEL", "loud")
    status, _, err = command("serve")
    assert status == 1
    assert "LOUD" in err


class TestCheck:
    def test_the_shipped_files_have_no_mistakes(self, command: Run, root: Path) -> None:
        status, out, err = command("check", "--envoy", str(root / "envoy/envoy.yaml"))
        assert (status, err) == (0, "")
        assert "no mistakes" in out

    def test_every_mistake_is_printed_with_its_place(self, command: Run, tmp_path: Path) -> None:
        path = tmp_path / "router.yaml"
        path.write_text("models: [{name: a, cluster: c}]\nrouting:\n  default: b\n  domains: {math: z}\n")
        status, _, err = command("check", "--config", str(path))
        assert status == 1
        assert f"{path}:3: routing.default: unknown model 'b'" in err
        assert f"{path}:4: routing.domains.math: unknown model 'z'" in err

    def test_both_files_mistakes_come_at_once(self, command: Run, tmp_path: Path, root: Path) -> None:
        path = tmp_path / "router.yaml"
        path.write_text("models: [{name: a, cluster: smal}]\nrouting:\n  default: a\n  domains: {maths: a}\n")
        status, _, err = command("check", "--config", str(path), "--envoy", str(root / "envoy/envoy.yaml"))
        assert status == 1
        assert "did you mean 'math'?" in err
        assert "did you mean 'small'?" in err

    @pytest.mark.parametrize("option", ["--config", "--envoy", "--model"])
    def test_a_missing_file_is_a_stated_failure(self, command: Run, option: str) -> None:
        status, _, err = command("check", option, "/nowhere")
        assert status == 1
        assert "/nowhere" in err
        assert "Traceback" not in err


def test_serve_keeps_to_the_files_that_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it was started may be gone by the time at which it looks again."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    assert serve._absolute(Path("../a/../b")) == tmp_path / "a/../b"
    assert serve._absolute(Path("b")) == tmp_path / "gone/b"
    assert serve._absolute(Path("/a/../b")) == Path("/a/../b")
    (tmp_path / "gone").rmdir()
    with pytest.raises(StartupError, match="the directory that it begins in is gone"):
        serve._absolute(Path("b"))
