from __future__ import annotations

import argparse
import json
import random
from typing import TYPE_CHECKING

import pytest
import yaml

from extproc_router.cli import calibrate
from extproc_router.config import loader
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """# why
models:
  - {name: small, cluster: small}
  - {name: large, cluster: large, cost: {input: 0.4}}
rules:
  - name: rest
    use: [small, large]
    cascade: {accept_at: 0.9}  # for now
routing:
  default: small
"""


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    calibrate.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["calibrate", "--cascade", "--bootstrap", "100", "--tolerance", "0.2", *arguments])
    return int(args.run(args))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    chooser = random.Random(0)
    path = tmp_path / "rows.jsonl"
    rows = []
    for _ in range(600):
        weak = int(chooser.random() < 0.6)
        features = {"mean_logprob": chooser.gauss(-0.25 if weak else -0.6, 0.15), "hedges": 0.0}
        rows.append(
            {
                "features": features,
                "weak": weak,
                "strong": int(chooser.random() < 0.9),
                "cost_weak": 1,
                "cost_strong": 9,
            }
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


def test_it_says_what_it_will_do(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", str(data), "--quality", "0.95") == 0
    said = capsys.readouterr().out
    assert "accept_at" in said
    assert "share of escalations" in said


def test_it_writes_the_weights_and_the_threshold(data: Path, policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--data", str(data), "--quality", "0.95", "--json", "--write", str(policy), "--rule", "rest")
    assert run(*options) == 0
    told = json.loads(capsys.readouterr().out)
    written = yaml.safe_load(policy.read_text())
    assert written["rules"][0]["cascade"]["accept_at"] == told["accept_at"]
    assert written["verifier"]["weights"] == told["weights"]
    assert told["weights"]["mean_logprob"] > 1
    assert "# for now" in policy.read_text()
    assert (
        loader.load(policy.read_text(), str(policy)).written.verifier.weights.intercept == told["weights"]["intercept"]
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--write", "POLICY"), "--rule"),
        (("--write", "POLICY", "--rule", "other"), "no rule"),
        (("--strong", "a", "--weak", "b"), "leave out the names"),
    ],
)
def test_what_does_not_go_together_is_told(data: Path, policy: Path, options: tuple[str, ...], why: str) -> None:
    before = policy.read_text()
    with pytest.raises(StartupError, match=why):
        run("--data", str(data), "--quality", "0.95", *(str(policy) if part == "POLICY" else part for part in options))
    assert policy.read_text() == before


def test_a_rule_goes_with_a_cascade(data: Path) -> None:
    parser = argparse.ArgumentParser()
    calibrate.register(parser.add_subparsers(required=True))
    args = parser.parse_args(
        ["calibrate", "--data", str(data), "--score-field", "s", "--strong-share", "0.5", "--rule", "rest"]
    )
    with pytest.raises(StartupError, match="--cascade"):
        args.run(args)


def test_a_policy_that_would_have_mistakes_is_left_alone(data: Path, policy: Path) -> None:
    policy.write_text(POLICY.replace("default: small", "default: nobody"))
    before = policy.read_text()
    with pytest.raises(StartupError, match="not written"):
        run("--data", str(data), "--quality", "0.95", "--write", str(policy), "--rule", "rest")
    assert policy.read_text() == before
