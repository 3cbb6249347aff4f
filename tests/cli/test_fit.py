from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from extproc_router.cli import fit
from extproc_router.errors import ArtefactError, StartupError
from extproc_router.learning import artefact
from extproc_router.learning.strategies import STRATEGIES
from extproc_router.training.outcomes import open_reader

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `fit` with a cache of its own; returns what it printed."""

    def command(*argv: str) -> str:
        parser = argparse.ArgumentParser(prog="extproc-router")
        fit.register(parser.add_subparsers(required=True))
        args = parser.parse_args(["fit", *argv, "--cache", str(tmp_path / "cache")])
        assert args.run(args) == 0
        said = capsys.readouterr()
        sys.stderr.write(said.err)
        return said.out

    return command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Law, which the small model knows, and proofs, which it does not."""
    path = tmp_path / "outcomes.jsonl"
    with path.open("w") as file:
        for number in range(40):
            for prompt, small in (
                (f"Which court tried case {number} for breach of contract?", 1),
                (f"Prove theorem {number} on groups.", 0),
            ):
                row = {"prompt": prompt, "scores": {"small": small, "large": 1, "other": number % 2}}
                file.write(json.dumps(row) + "\n")
    return path


@pytest.mark.parametrize("strategy", fit.STRATEGIES)
def test_every_strategy_learns_what_the_small_model_cannot_do(
    run: Run, data: Path, tmp_path: Path, strategy: str
) -> None:
    out = tmp_path / "out"
    said = run("--strategy", strategy, "--data", str(data), "--strong", "large", "--weak", "small", "--out", str(out))
    manifest = artefact.load(out, features=None).manifest
    assert f"{strategy}, version {manifest.version}, small or large, 80 rows" in said
    assert manifest.metrics["apgr"] > 0.7
    assert f"apgr: {manifest.metrics['apgr']}" in said


def test_the_choices_are_the_strategies() -> None:
    assert tuple(STRATEGIES) == fit.STRATEGIES


def test_settings_and_folds_are_taken(run: Run, data: Path, tmp_path: Path) -> None:
    run("--strategy", "mf", "--data", str(data), "--out", str(tmp_path / "out"), "--set", "rank=2", "--folds", "0")
    manifest = artefact.load(tmp_path / "out", features=None).manifest
    assert manifest.settings["rank"] == 2
    assert manifest.metrics == {}
    assert (manifest.weak, manifest.strong, manifest.models) == (None, None, ["small", "large", "other"])


def test_a_new_model_is_added_to_what_was_fitted(run: Run, data: Path, tmp_path: Path) -> None:
    old, new, few = tmp_path / "old", tmp_path / "new", tmp_path / "few.jsonl"
    run("--strategy", "mf", "--data", str(data), "--out", str(old))
    rows = [{"prompt": f"Prove theorem {number} on rings.", "scores": {"newcomer": 1}} for number in range(5)]
    few.write_text("\n".join(map(json.dumps, rows)))
    said = run("--extend", str(old), "--data", str(few), "--out", str(new), "--strong", "newcomer", "--weak", "small")
    assert "small or newcomer, 5 rows" in said
    assert artefact.load(new, features=None).manifest.models[-1] == "newcomer"


def test_the_experiment_prints_a_line_for_each_model(run: Run, data: Path) -> None:
    said = run("--experiment", "new-model", "--data", str(data), "--set", "landmarks=20")
    assert [line.split()[0] for line in said.splitlines()[1:4]] == ["small", "large", "other"]
    assert "within 0.03" in said


def test_bad_rows_are_named_and_left_out_or_refused(
    run: Run, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with data.open("a") as file:
        file.write("{broken\n")
    arguments = ("--strategy", "table", "--data", str(data), "--out", str(tmp_path / "out"))
    with pytest.raises(StartupError, match=f"{data}:81"):
        run(*arguments, "--strict")
    assert run(*arguments)
    assert f"{data}:81" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["--data", "x", "--out", "y"],
        ["--strategy", "oracle", "--data", "x", "--out", "y"],
        ["--strategy", "mf", "--out", "y"],
        ["--strategy", "mf", "--extend", "d", "--data", "x"],
        ["--strategy", "mf", "--data", "x", "--folds", "1"],
        ["--strategy", "mf", "--data", "x", "--folds", "99"],
        ["--strategy", "mf", "--data", "x", "--seed", "-1"],
        ["--strategy", "mf", "--data", "x", "--seed", str(2**32)],
    ],
)
def test_usage_is_2(run: Run, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(*argv)
    assert end.value.code == 2


def test_a_missing_place_or_file_is_named(run: Run, data: Path, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="--out"):
        run("--strategy", "mf", "--data", str(data))
    with pytest.raises(StartupError, match="nowhere"):
        run("--strategy", "mf", "--data", "/nowhere", "--out", str(tmp_path))
    with pytest.raises(ArtefactError, match="nowhere"):
        run("--strategy", "mf", "--data", str(data), "--out", str(tmp_path), "--model", "/nowhere")
    with pytest.raises(ArtefactError, match="nowhere"):
        run("--extend", "/nowhere", "--data", str(data), "--out", str(tmp_path))


def test_an_endless_scale_is_refused(run: Run, data: Path, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="must be finite"):
        run("--strategy", "table", "--data", str(data), "--out", str(tmp_path / "out"), "--scale", "0", "inf")


def test_a_pipe_is_refused_before_it_is_read(run: Run, data: Path, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"):
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data.read_bytes())
        with pytest.raises(StartupError, match="not a regular file"):
            run("--strategy", "table", "--data", f"/dev/fd/{reading}", "--out", str(tmp_path / "out"))


def test_the_artefact_fits_the_model_it_was_made_with(run: Run, data: Path, tmp_path: Path, root: Path) -> None:
    run("--strategy", "table", "--data", str(data), "--out", str(tmp_path / "out"))
    version = open_reader(root / "models/minilm-l4-router").version
    assert artefact.load(tmp_path / "out", features=version)
