from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.encoder import head_file
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

TRUST = {"weights": [0.0] * 9, "bias": 0.0}


def reading(rows: int, width: int, **changes: Any) -> dict[str, Any]:
    fields = {"weights": [[0.0] * width] * rows, "bias": [0.0] * rows, "temperature": 1.0, "trust": None}
    return fields | {"exit_above": None, "exit_below": None} | changes


def read(tiny: Path, folder: Path, name: str, **changes: Any) -> head_file.HeadFile:
    content = json.loads((tiny / f"heads/{name}.json").read_text()) | changes
    (folder / "head.json").write_text(json.dumps(content))
    return head_file.read(folder / "head.json", 4, 2)


@pytest.mark.parametrize("name", ["domain", "alarm", "difficulty", "names", "tone"])
def test_heads_of_every_kind_are_read(tiny: Path, tmp_path: Path, name: str) -> None:
    assert read(tiny, tmp_path, name).kind in {"choice", "flag", "pair", "spans"}


def test_how_long_x_is(tiny: Path, tmp_path: Path) -> None:
    assert [read(tiny, tmp_path, "alarm").width(tier, 4) for tier in (0, 1)] == [4, 8]
    assert [read(tiny, tmp_path, "difficulty").width(tier, 4) for tier in (0, 1)] == [9, 9]
    assert read(tiny, tmp_path, "names").width(1, 4) == 12


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("domain", {"kind": "regression"}, "Invalid enum value"),
        ("tone", {"readings": [None, None, reading(2, 4, bias=[1e300, 0.0])]}, "Expected `float` <= 1000000000.0"),
        ("tone", {"readings": [None, None, reading(2, 4, temperature=1e-320)]}, "Expected `float` >= 1e-09"),
        ("domain", {"surprise": 1}, "unknown field `surprise`"),
        ("domain", {"labels": []}, "length >= 1"),
        ("domain", {"labels": ["law"]}, "labels of a choice head are two or more"),
        ("domain", {"labels": ["law", "law"]}, "a label occurs twice"),
        ("alarm", {"labels": ["a", "b"]}, "labels of a flag head are one"),
        ("difficulty", {"labels": ["strong", "both", "weak", "neither"]}, "labels of a pair head are both, strong"),
        ("names", {"labels": ["O", "I-NAME", "B-NAME"]}, "labels of a spans head are O, then B-X"),
        ("names", {"labels": ["O"]}, "labels of a spans head"),
        ("names", {"labels": ["O", "B-NAME"]}, "labels of a spans head"),
        ("names", {"inputs": ["shape", "token"]}, "spans read"),
        ("domain", {"inputs": ["token"]}, "inputs are"),
        ("domain", {"inputs": ["mean", "mean"]}, "inputs are"),
        ("domain", {"inputs": []}, "length >= 1"),
        ("domain", {"inputs": ["colour"]}, "Invalid enum value"),
        ("domain", {"inputs": ["mean", "surface"]}, "`surface` and the inputs do not agree"),
        ("difficulty", {"surface": None}, "`surface` and the inputs do not agree"),
        ("difficulty", {"surface": {"mean": [0.0] * 4, "deviation": [1.0] * 5}}, "4 means and 5 deviations, not 5"),
        ("difficulty", {"surface": {"mean": [0.0] * 5, "deviation": [0.0] * 5}}, ">= 1e-09"),
        ("domain", {"threshold": 0.5}, "a flag, and nothing else, has a threshold"),
        ("alarm", {"threshold": None}, "a flag, and nothing else, has a threshold"),
        ("alarm", {"threshold": 1.5}, "<= 1.0"),
        ("difficulty", {"models": None}, "a pair, and nothing else, has models"),
        ("domain", {"models": {"strong": "a", "weak": "b"}}, "a pair, and nothing else, has models"),
        ("domain", {"readings": []}, "0 readings, the encoder has 3 tiers"),
        ("domain", {"readings": [None, reading(2, 4)]}, "2 readings, the encoder has 3 tiers"),
        ("domain", {"readings": [None, reading(2, 4), None]}, "no reading of the last tier"),
        ("names", {"readings": [reading(3, 12), None, reading(3, 12)]}, "a reading of tier 0"),
        ("domain", {"readings": [None, None, reading(3, 4)]}, "tier 2: 2 labels, 3 rows of weights, 3 biases"),
        ("domain", {"readings": [None, None, reading(2, 4, bias=[0.0])]}, "2 rows of weights, 1 biases"),
        ("domain", {"readings": [None, reading(2, 5), reading(2, 4)]}, "tier 1: a row of weights is not 4 long"),
        ("alarm", {"readings": [reading(1, 8), None, reading(1, 8)]}, "tier 0: a row of weights is not 4 long"),
        ("domain", {"readings": [None, None, reading(2, 4, temperature=0.0)]}, ">= 1e-09"),
        ("domain", {"readings": [None, None, reading(2, 4, exit_above=1.1)]}, "<= 1.0"),
        ("domain", {"readings": [None, None, reading(2, 4, exit_below=0.1)]}, "a flag alone has `exit_below`"),
        ("domain", {"readings": [None, None, reading(2, 4, trust=TRUST)]}, "a choice has no use for trust"),
        ("difficulty", {"readings": [reading(4, 9, exit_above=0.9), None, reading(4, 9)]}, "an exit without trust"),
        (
            "difficulty",
            {"readings": [reading(4, 9, trust={"weights": [0.0], "bias": 0.0}), None, reading(4, 9)]},
            "tier 0: trust has 1 weights, not 9",
        ),
    ],
)
def test_a_head_that_does_not_fit(tiny: Path, tmp_path: Path, name: str, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ArtefactError, match=rf"head\.json: .*{reason}"):
        read(tiny, tmp_path, name, **changes)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"labels": ["a", "b"]}', b'{"bias": NaN}']
)
def test_not_a_head(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"head\.json: "):
        head_file.read(tmp_path / "head.json", 4, 2)
