from __future__ import annotations

import argparse
import json
import random
from typing import TYPE_CHECKING

import pytest

from extproc_router.cli import evaluate
from extproc_router.errors import StartupError
from extproc_router.training.data import Split, split_of

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 1500


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["evaluate", "cascade", "--weak", "w", "--strong", "s", "--rounds", "2", *arguments])
    return int(args.run(args))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    chooser = random.Random(0)
    path = tmp_path / "rows.jsonl"
    rows = []
    for number in range(ROWS):
        hint = chooser.random()
        scores = {"w": int(chooser.random() < 0.9 - 0.6 * hint), "s": int(chooser.random() < 0.9)}
        rows.append({"prompt": f"question {number}", "scores": scores, "hint": hint})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "prices.json").write_text('{"w": 0.1, "s": 1}')
    return path


def test_a_table_is_printed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = str(data.parent / "prices.json")
    assert run("--data", str(data), "--prices", prices, "--score-field", "hint") == 0
    said = capsys.readouterr().out
    assert "prediction by hint" in said
    assert "is simulated" in said


def test_the_same_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = str(data.parent / "prices.json")
    assert run("--data", str(data), "--prices", prices, "--predictor", "length", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n"] == ROWS
    assert len(document["sensitivity"]) == 4
    assert "simulated" in document["warnings"][0]


def test_rows_that_the_encoder_has_seen_can_be_left_out(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = str(data.parent / "prices.json")
    assert run("--data", str(data), "--prices", prices, "--score-field", "hint", "--held-out", "--json") == 0
    held_out = [number for number in range(ROWS) if split_of(f"question {number}") is not Split.TRAIN]
    said = capsys.readouterr()
    assert json.loads(said.out)["n"] == len(held_out)
    assert "was not trained on" in said.err


def test_a_report_is_written(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    prices = str(data.parent / "prices.json")
    run("--data", str(data), "--prices", prices, "--score-field", "hint", "--report", str(tmp_path / "out"))
    assert (tmp_path / "out" / "report.html").exists()


def test_no_costs_no_comparison(data: Path) -> None:
    with pytest.raises(StartupError, match="--prices"):
        run("--data", str(data), "--score-field", "hint")


def test_an_unknown_predictor_is_named(data: Path) -> None:
    prices = str(data.parent / "prices.json")
    with pytest.raises(StartupError, match="difficulty"):
        run("--data", str(data), "--prices", prices, "--predictor", "dificulty")
