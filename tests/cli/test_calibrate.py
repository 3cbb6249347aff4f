from __future__ import annotations

import argparse
import json
import random
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.bulk.progress import Progress
from extproc_router.cli import calibrate
from extproc_router.errors import StartupError
from extproc_router.evaluation import policies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


FIELD = "models.1.cost.input"
POLICY = """# why
models:
  - {name: small, cluster: small}
  - {name: large, cluster: large, cost: {input: 0.4}}  # because
routing:
  default: small
  domains: {math: large}
limits: {encoder_queue: 64}
"""


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    calibrate.register(parser.add_subparsers(required=True))
    return parser.parse_args(["calibrate", "--bootstrap", "100", *arguments])


def run(*arguments: str) -> int:
    args = parsed(*arguments)
    return int(args.run(args))


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


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


def test_the_policy_keeps_everything_else(data: Path, policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = policy.read_text()
    options = ["--score-field", "mine", "--strong-share", "0.3", "--tolerance", "0.1", "--write", str(policy), "--json"]
    options += ["--field", FIELD]
    assert run("--data", str(data), "--strong", "s", "--weak", "w", *options) == 0
    out = capsys.readouterr()
    threshold = json.loads(out.out)["threshold"]
    assert f"wrote {FIELD} into {policy}" in out.err
    start, end = before.split("0.4")
    written = policy.read_text()
    assert written.startswith(start)
    assert written.endswith(end)
    assert float(written.removeprefix(start).removesuffix(end)) == threshold


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--write", "POLICY"], "calibrate that with --policy"),
        (["--write", "POLICY", "--field", "limits.encoder_queue"], "not written.*encoder_queue"),
        (["--write", "POLICY", "--field", "routing.nonsense"], "not written.*nonsense"),
        (["--write", "/nowhere/policy.yaml", "--field", FIELD], "No such file"),
    ],
)
def test_what_would_spoil_the_policy_is_not_written(data: Path, policy: Path, options: list[str], message: str) -> None:
    before = policy.read_bytes()
    options = [str(policy) if option == "POLICY" else option for option in options]
    with pytest.raises(StartupError, match=re.compile(message, re.DOTALL)):
        run("--data", str(data), "--score-field", "mine", "--strong-share", "0.3", "--tolerance", "0.1", *options)
    assert policy.read_bytes() == before


def test_a_threshold_beyond_the_field_is_not_written(data: Path, policy: Path) -> None:
    before = policy.read_bytes()
    data.write_text("\n".join(json.dumps({"prompt": "p", "mine": -at}) for at in range(1000)))
    with pytest.raises(StartupError, match="must be at least 0"):
        run(
            *("--data", str(data), "--score-field", "mine", "--strong-share", "0.3"),
            *("--write", str(policy), "--field", FIELD),
        )
    assert policy.read_bytes() == before


def test_an_interrupted_calibration_writes_nothing(
    data: Path, policy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, over = policy.read_bytes(), Progress.over

    def interrupted(progress: Progress, items: Iterable[int]) -> Iterator[int]:
        for number, item in enumerate(over(progress, items)):
            if number == 150:
                raise KeyboardInterrupt
            yield item

    options = ["--score-field", "mine", "--strong-share", "0.3", "--tolerance", "0.1", "--bootstrap", "200"]
    args = parsed("--data", str(data), *options, "--write", str(policy), "--field", FIELD)
    # Only the rounds: reading goes through the same loop.
    monkeypatch.setattr("extproc_router.evaluation.calibrate.Progress.over", interrupted)
    monkeypatch.setattr("extproc_router.evaluation.outcomes.Progress", Progress)
    data.write_text("\n".join(data.read_text().splitlines()[:140]))
    with pytest.raises(StartupError, match="nothing was written"):
        args.run(args)
    assert policy.read_bytes() == before
    assert "interrupted after 150 of 200 rounds" in capsys.readouterr().out


def test_a_policy_interrupted_while_it_judges_is_no_sample(
    data: Path, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(*_: object) -> policies.Verdicts:
        return policies.Verdicts(np.zeros(300, dtype=np.intp), np.zeros((300, 2)), np.zeros((300, 2)))

    monkeypatch.setattr(policies, "judge", judge)
    options = ["--strong", "s", "--weak", "w", "--as", "small=w", "--as", "large=s", "--strong-share", "0.3"]
    with pytest.raises(StartupError, match="interrupted: the policy saw 300 of 500 rows"):
        run("--data", str(data), "--policy", str(policy), *options)


def test_a_policy_whose_default_is_strong_is_refused(data: Path, policy: Path) -> None:
    options = ["--strong", "s", "--weak", "w", "--as", "small=s", "--as", "large=w", "--strong-share", "0.3"]
    with pytest.raises(StartupError, match="the default, small, is the strong model"):
        run("--data", str(data), "--policy", str(policy), *options)


def test_nothing_is_written_where_the_sample_is_too_small(data: Path, policy: Path) -> None:
    before = policy.read_bytes()
    data.write_text("\n".join(data.read_text().splitlines()[:60]))
    options = ["--score-field", "mine", "--strong-share", "0.3", "--write", str(policy), "--field", FIELD]
    with pytest.raises(StartupError, match="rows are needed"):
        run("--data", str(data), "--strong", "s", "--weak", "w", *options)
    assert policy.read_bytes() == before


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
