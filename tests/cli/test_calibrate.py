from __future__ import annotations

import argparse
import json
import random
from typing import TYPE_CHECKING

import pytest

from extproc_router.cli import calibrate
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    calibrate.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["calibrate", "--bootstrap", "100", *arguments])
    return int(args.run(args))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    chooser = random.Random(0)
    path = tmp_path / "rows.jsonl"
    rows = []
    for _ in range(500):
        score = chooser.random()
        weak = int(chooser.random() < 0.9 - 0.6 * score)
        scores = {"w": weak, "s": int(chooser.random() < 0.9)}
        rows.append(
            {"prompt": "p" * chooser.randrange(1, 300), "scores": scores, "costs": {"w": 1, "s": 9}, "mine": score}
        )
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_a_share_needs_scores_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": "p", "mine": at}) for at in range(1000)))
    assert run("--data", str(path), "--score-field", "mine", "--strong-share", "0.3", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["threshold"] == 699.5
    low, high = document["expected"]["share"]
    assert low < 0.3 < high


@pytest.mark.parametrize("goal", [["--quality", "0.9"], ["--savings", "0.4"], ["--strong-share", "0.3"]])
@pytest.mark.parametrize("score", [["--score-field", "mine"], ["--strategy", "length"]])
def test_every_goal_by_every_score(
    data: Path, goal: list[str], score: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--data", str(data), "--strong", "s", "--weak", "w", *score, *goal, "--tolerance", "0.2") == 0
    assert capsys.readouterr().out.startswith("threshold ")


def test_the_policy_keeps_everything_else(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("# why\nrouting:\n  confidence_floor: 0.4  # because\n  default: w\n")
    options = ["--score-field", "mine", "--strong-share", "0.3", "--tolerance", "0.1", "--write", str(policy), "--json"]
    assert run("--data", str(data), "--strong", "s", "--weak", "w", *options) == 0
    out = capsys.readouterr()
    threshold = json.loads(out.out)["threshold"]
    assert f"wrote routing.confidence_floor into {policy}" in out.err
    written = policy.read_text()
    assert written.startswith("# why\nrouting:\n  confidence_floor: ")
    assert written.endswith("  # because\n  default: w\n")
    assert float(written.split("floor: ")[1].split(" ")[0]) == pytest.approx(threshold)


def test_nothing_is_written_where_the_sample_is_too_small(data: Path, tmp_path: Path) -> None:
    data.write_text("\n".join(data.read_text().splitlines()[:60]))
    policy = tmp_path / "policy.yaml"
    policy.write_text("routing: {confidence_floor: 0.4}\n")
    options = ["--score-field", "mine", "--strong-share", "0.3", "--write", str(policy)]
    with pytest.raises(StartupError, match="rows are needed"):
        run("--data", str(data), "--strong", "s", "--weak", "w", *options)
    assert policy.read_text() == "routing: {confidence_floor: 0.4}\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--score-field", "mine", "--quality", "0.9"], "outcomes of both models"),
        (["--strategy", "length", "--strong-share", "0.3"], "need --strong and --weak"),
        (["--strategy", "length", "--strong-share", "0.3", "--strong", "s"], "both --strong and --weak"),
        (["--score-field", "other", "--strong-share", "0.3"], "no number under 'other'"),
    ],
)
def test_what_is_missing_is_said(data: Path, options: list[str], message: str) -> None:
    with pytest.raises(StartupError, match=message):
        run("--data", str(data), *options)


def test_a_goal_and_a_score_are_asked_for(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--strong-share", "0.3"], ["--score-field", "mine"]):
        with pytest.raises(SystemExit) as caught:
            run("--data", str(data), *options)
        assert caught.value.code == 2
    assert "required" in capsys.readouterr().err
