from __future__ import annotations

import gzip
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.training import data
from extproc_router.training.data import Source, Split

if TYPE_CHECKING:
    from pathlib import Path


def test_no_question_is_on_two_sides(data_directory: Path) -> None:
    sides: dict[str, set[Split]] = {}
    for example in data.collect(data_directory, 0):
        question = example.text.split("\nA. ")[0]
        sides.setdefault(data.key(question), set()).add(example.split)
    assert {question for question, found in sides.items() if len(found) > 1} == set()


def test_a_question_in_two_files_is_read_once_in_both_views(data_directory: Path) -> None:
    examples = data.collect(data_directory, 0)
    counts = Counter(example.source for example in examples)
    assert counts[Source.EXAM] == counts[Source.EXAM_OPTIONS] == 200
    assert "Question 0 of law?\nA. yes\nB. no" in {example.text for example in examples}


def test_other_labels_ground_is_not_everyday(data_directory: Path) -> None:
    everyday = {example.text for example in data.collect(data_directory, 0) if example.source is Source.EVERYDAY}
    assert everyday == {"play some jazz", "tell me a joke"}


def test_large_sources_are_sampled_by_the_seed(data_directory: Path) -> None:
    first, again, other = (
        [example.text for example in data.collect(data_directory, seed) if example.source is Source.WORD_PROBLEM]
        for seed in (0, 0, 1)
    )
    assert len(first) == len(other) == 600
    assert first == again != other


def test_what_is_held_out_is_never_trained_on(data_directory: Path) -> None:
    held_out = next(example for example in data.natural() if example.split is Split.VALIDATION)
    row = {"text": held_out.text.upper(), "options": [], "label": held_out.label}
    with gzip.open(data_directory / "domain/mmlu_dev.jsonl.gz", "wt") as file:
        file.write(json.dumps(row) + "\n")
    copies = [e for e in data.collect(data_directory, 0) if data.key(e.text) == data.key(held_out.text)]
    assert Split.TRAIN not in {example.split for example in copies}


def test_most_questions_are_for_training() -> None:
    counts = Counter(data.split_of(f"question {number}") for number in range(5000))
    assert 0.75 < counts[Split.TRAIN] / 5000 < 0.85
    assert 0.07 < counts[Split.VALIDATION] / 5000 < 0.13
    assert 0.07 < counts[Split.TEST] / 5000 < 0.13


@pytest.mark.parametrize("text", ["What is x?", "what is X", " What  is\nx ?"])
def test_spelling_does_not_change_the_key(text: str) -> None:
    assert data.key(text) == "whatisx"


def test_our_own_prompts_cover_every_label_in_both_parts() -> None:
    parts = Counter((example.label, example.split) for example in data.natural())
    labels = {label for label, _ in parts}
    assert len(labels) == 14
    assert all(parts[label, Split.VALIDATION] >= 8 and parts[label, Split.TRAIN] >= 16 for label in labels)
    assert {example.label for example in data.topics(0)} == labels
    assert len({example.text for example in data.natural()}) == len(data.natural())


def test_our_own_sentences_hold_no_slot() -> None:
    made = [*data.topics(0), *data.programming(0)]
    assert len(made) > 3000
    assert [example.text for example in made if "{" in example.text or "}" in example.text] == []
    assert {example.split for example in made} == {Split.TRAIN}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"mmlu_pro\.jsonl\.gz: "):
        data.collect(tmp_path, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [('{"text": "a"}', "x:2: no member label"), ("[]", "x: Expected `object`"), ("{", "x: Input data was truncated")],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    with gzip.open(tmp_path / "x", "wt") as file:
        file.write('{"text": "a", "label": "b"}\n' + line + "\n")
    with pytest.raises(StartupError, match=reason):
        list(data.read_rows(tmp_path / "x", ("text", "label")))


def test_what_is_not_gzip_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("plain")
    with pytest.raises(StartupError, match="x: Not a gzipped file"):
        list(data.read_rows(tmp_path / "x", ()))
