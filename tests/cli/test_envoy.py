from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router import cli
from extproc_router.envoyconf import binary

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "models: [{name: a, cluster: small}, {name: b, cluster: large}]\nrouting: {default: a}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "router.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def envoy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in Envoy's place, which accepts all files."""
    path = tmp_path / "envoy"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setenv(binary.VARIABLE, str(path))
    return path


def refusing(envoy: Path) -> None:
    envoy.write_text("#!/bin/sh\necho 'no such field' >&2\nexit 1\n")


def test_a_file_is_written_and_shown_to_envoy(
    config: Path, envoy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "envoy.yaml"
    assert cli.main(["envoy", "render", "--config", str(config), "--output", str(path)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"{path}: {envoy} --mode validate: OK\n"
    assert cli.main(["envoy", "render", "--config", str(config)]) == 0
    said = capsys.readouterr()
    assert said.out == path.read_text()
    assert said.err.startswith("what was written: ")
    assert cli.main(["envoy", "check", "--config", str(config), "--envoy", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path} fits {config}, version ")


def test_plain_files_are_shorter(config: Path, envoy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "envoy.yaml"
    refusing(envoy)
    assert cli.main(["envoy", "render", "--plain", "--config", str(config), "--output", str(path)]) == 1
    assert f"{path}: Envoy refuses it: no such field ({envoy})" in capsys.readouterr().err
    assert "x-llm-chain" not in path.read_text()
    assert cli.main(["envoy", "check", "--config", str(config), "--envoy", str(path)]) == 1
    said = capsys.readouterr()
    assert "chains are not walked: plain" in said.out
    assert "Envoy refuses it" in said.err


def test_no_envoy_is_said_and_no_failure(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(binary.VARIABLE, str(tmp_path / "none"))
    assert cli.main(["envoy", "render", "--config", str(config), "--output", str(tmp_path / "envoy.yaml")]) == 0
    assert "not validated by Envoy: EXTPROC_ROUTER_ENVOY names" in capsys.readouterr().err


@pytest.mark.usefixtures("envoy")
def test_what_does_not_fit_is_told_with_its_line(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "envoy.yaml"
    cli.main(["envoy", "render", "--config", str(config), "--output", str(path)])
    text = path.read_text().replace("refresh_cluster_on_retry: true", "refresh_cluster_on_retry: false")
    path.write_text(text)
    config.write_text(CONFIG.replace("cluster: large", "cluster: huge").replace("default: a", "default: c"))
    capsys.readouterr()
    assert cli.main(["envoy", "check", "--config", str(config), "--envoy", str(path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"{config}:1: models.1.cluster: unknown cluster 'huge'"
    assert said[1] == f"{config}:2: routing.default: unknown model 'c'"
    config.write_text(CONFIG)
    assert cli.main(["envoy", "check", "--config", str(config), "--envoy", str(path)]) == 1
    [line, *_] = capsys.readouterr().err.splitlines()
    number = next(place for place, each in enumerate(text.splitlines(), 1) if "refresh_cluster_on_retry: false" in each)
    assert line.startswith(f"{path}:{number}: virtual_hosts.llm.routes.chain.retry_policy.refresh_cluster_on_retry: ")


@pytest.mark.usefixtures("envoy")
def test_a_config_whose_addresses_do_not_fit_writes_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "envoy.yaml"
    config.write_text(f"{CONFIG}endpoints: {{clusters: {{smal: {{}}}}}}\n")
    assert cli.main(["envoy", "render", "--config", str(config), "--output", str(path)]) == 1
    assert "did you mean 'small'?" in capsys.readouterr().err
    assert not path.exists()


def test_a_place_where_nothing_can_be_written_is_named(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none" / "envoy.yaml"
    assert cli.main(["envoy", "render", "--config", str(config), "--output", str(path)]) == 1
    assert capsys.readouterr().err == f"extproc-router: {path}: No such file or directory\n"


@pytest.mark.usefixtures("envoy")
@pytest.mark.parametrize(("tiers", "is_told"), [("", False), ("privacy_tiers: [public, secret]\n", True)])
def test_it_says_that_another_command_proves_privacy(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiers: str, *, is_told: bool
) -> None:
    path = tmp_path / "envoy.yaml"
    config.write_text(CONFIG + tiers)
    cli.main(["envoy", "render", "--config", str(config), "--output", str(path)])
    assert cli.main(["envoy", "check", "--config", str(config), "--envoy", str(path)]) == 0
    assert ("check --envoy` proves" in capsys.readouterr().out) is is_told
