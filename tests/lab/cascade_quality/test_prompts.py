from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab.cascade_quality import prompts
from extproc_router.lab.cascade_quality.prompts import Prompt
from extproc_router.lab.simulation import script
from extproc_router.training.data import Split, split_of

if TYPE_CHECKING:
    from pathlib import Path


def outcomes(path: Path, count: int) -> Path:
    """Write questions with options: weak is right about even ones, strong about all; the first stands there twice."""
    rows = [
        {"prompt": f"question {number}\nA. yes\nB. no", "scores": {"w": 0.5 * (number % 2 == 0), "s": 1.0, "t": 0.3}}
        for number in (0, *range(count))
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_halves_hold_what_training_did_not(tmp_path: Path) -> None:
    halves = prompts.read(outcomes(tmp_path / "rows.jsonl", 1500), weak="w", strong="s", rows=10_000)

    for part, split in ((halves.picking, Split.VALIDATION), (halves.measuring, Split.TEST)):
        assert len(part) == len({prompt.text for prompt in part}) > 100
        for prompt in part:
            question = prompt.text.partition("\n")[0]
            assert split_of(question) is split
            number = int(question.split()[1])
            assert prompt == Prompt(prompt.text, weak=number % 2 == 0, strong=True)


def test_fewer_can_be_asked_for(tmp_path: Path) -> None:
    halves = prompts.read(outcomes(tmp_path / "rows.jsonl", 1500), weak="w", strong="s", rows=60)
    assert (len(halves.picking), len(halves.measuring)) == (60, 60)


def test_too_few_are_told(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="50 is the least"):
        prompts.read(outcomes(tmp_path / "rows.jsonl", 100), weak="w", strong="s", rows=60)


def test_the_simulator_reads_what_is_saved(tmp_path: Path) -> None:
    known = {"one\n\u2028": True, 'tw"o': False}
    assert script.outcomes(prompts.save(known.items(), tmp_path / "weak.jsonl")) == known


def test_a_share_is_of_all() -> None:
    assert prompts.share([True, False, True, True]) == 0.75
