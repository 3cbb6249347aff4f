from __future__ import annotations

import argparse
import json
import random
from typing import TYPE_CHECKING

import pytest

from extproc_router.cli import drift
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    drift.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["drift", *arguments])
    return int(args.run(args))


def log(path: Path, seed: int, math: float) -> str:
    chooser = random.Random(seed)
    lines = [
        {
            "model": "large",
            "reason": "domain",
            "signals": [
                {
                    "name": "domain",
                    "label": "math" if chooser.random() < math else "law",
                    "confidence": chooser.random(),
                }
            ],
            "total_ms": 3.0,
        }
        for _ in range(600)
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return str(path)


def test_logs_as_table_json_and_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = log(tmp_path / "a", 1, 0.2), log(tmp_path / "b", 2, 0.7)
    assert run("--reference", before, "--current", after) == 0
    assert "measure the frontier again" in capsys.readouterr().out
    assert run("--reference", before, "--current", after, "--json", "--report", str(tmp_path / "out")) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["remeasure"]
    assert document["shifts"][0]["signal"] == "domain label"
    assert (tmp_path / "out" / "report.html").exists()


def test_histograms_alone_give_the_same_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = log(tmp_path / "a", 1, 0.2), log(tmp_path / "b", 2, 0.25)
    kept = str(tmp_path / "kept.json")
    assert run("--reference", before, "--save-histogram", kept) == 0
    capsys.readouterr()
    answers = []
    for reference in (before, kept):
        assert run("--reference", reference, "--current", after, "--json") == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_failing_is_asked_for(tmp_path: Path) -> None:
    before, after = log(tmp_path / "a", 1, 0.2), log(tmp_path / "b", 2, 0.7)
    same = log(tmp_path / "c", 3, 0.2)
    assert run("--reference", before, "--current", after, "--fail") == 1
    assert run("--reference", before, "--current", same, "--fail") == 0


def test_a_report_that_cannot_be_written_is_known_before_reading(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    missing = str(tmp_path / "missing")
    with pytest.raises(StartupError, match=r"file/out: "):
        run("--reference", missing, "--current", missing, "--report", str(tmp_path / "file" / "out"))


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="--current"):
        run("--reference", log(tmp_path / "a", 1, 0.2))


def test_bad_lines_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a"
    before = log(path, 1, 0.2)
    path.write_text(path.read_text() + "\n{}\n")
    assert run("--reference", before, "--current", before) == 0
    assert "a:601:" in capsys.readouterr().err
