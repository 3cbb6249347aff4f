from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import encoder
from extproc_router.errors import StartupError
from extproc_router.training import head_command
from extproc_router.training.head_command import Options
from extproc_router.types import Classification, Flag, Pair

if TYPE_CHECKING:
    from pathlib import Path

TOPICS = {
    "law": ["the court", "a contract", "the judge", "the statute"],
    "food": ["the soup", "a cake", "the kitchen", "the bread"],
}
ASKS = [
    "Tell me about {}",
    "what is {} for?",
    "{} again, please",
    "Write a line on {}",
    "who needs {}",
    "Explain {} now",
]


def rows(**answers: Any) -> list[dict[str, Any]]:
    """48 texts, each with what `answers` (a function of the topic and a number) say."""
    return [
        {"text": ask.format(thing), **{name: answer(topic, number) for name, answer in answers.items()}}
        for topic, things in TOPICS.items()
        for number, (thing, ask) in enumerate((thing, ask) for thing in things for ask in ASKS)
    ]


@pytest.fixture
def options(shipped: Path, tmp_path: Path) -> Any:
    def build(data: list[dict[str, Any]], **changes: Any) -> Options:
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(map(json.dumps, data)))
        given = {"task": "mine", "data": path, "model": shipped, "out": tmp_path / "out", "cache": tmp_path / "cache"}
        return Options(**{**given, **changes})

    return build


def test_a_choice_a_flag_a_pair_and_spans(options: Any, tmp_path: Path) -> None:
    said: list[str] = []
    labelled = rows(label=lambda topic, _: topic)
    report = head_command.fit(options(labelled), said.append)
    assert (report.kind, report.directory) == ("choice", tmp_path / "out")
    assert report.figures["accuracy"] == pytest.approx(1.0, abs=0.2)
    assert any("are kept for the figures" in line for line in said)
    more = {"model": tmp_path / "out", "out": None, "in_place": True}
    flags = rows(label=lambda topic, _: int(topic == "law"))
    assert head_command.fit(options(flags, task="is_law", **more), said.append).kind == "flag"
    pairs = rows(strong_correct=lambda _, n: n % 2, weak_correct=lambda _, n: n // 2 % 2)
    assert head_command.fit(options(pairs, task="hard", **more), said.append).kind == "pair"
    tagged = [
        row
        | {
            "spans": [{"start": place, "end": place + 5, "type": "COURT"}]
            if (place := row["text"].find("court")) >= 0
            else []
        }
        for row in rows()
    ]
    last = head_command.fit(options(tagged, task="courts", **more), said.append)
    assert last.kind == "spans"
    model = encoder.load(tmp_path / "out")
    assert model.version == last.version
    heads = model.encode("What would the judge say of this contract?", ["mine", "is_law", "hard", "courts"]).heads
    assert isinstance(heads["mine"], Classification)
    assert heads["mine"].label == "law"
    assert isinstance(heads["is_law"], Flag)
    assert isinstance(heads["hard"], Pair)
    assert isinstance(heads["courts"], tuple)


def test_what_is_measured_is_what_the_router_answers(options: Any, tmp_path: Path) -> None:
    """Half the accuracy's arithmetic is ours, half the encoder's: on all rows they must say the same."""
    labelled = rows(label=lambda topic, _: topic)
    head_command.fit(options(labelled), print)
    model = encoder.load(tmp_path / "out", remember=0)
    answers = [model.encode(row["text"], ["mine"]).heads["mine"] for row in labelled]
    right = [answer.label == row["label"] for answer, row in zip(answers, labelled, strict=True)]  # type: ignore[union-attr]
    assert sum(right) / len(right) > 0.9


@pytest.mark.parametrize("name", ["Mine", "tier", "id", "a b", "", "../x", "x" * 65])
def test_a_name_that_cannot_be_is_told(options: Any, name: str) -> None:
    with pytest.raises(StartupError, match="--task"):
        head_command.fit(options(rows(label=lambda topic, _: topic), task=name), print)


def test_a_head_keeps_its_kind(options: Any) -> None:
    with pytest.raises(StartupError, match="'domain' is of kind choice, these labels are of kind flag"):
        head_command.fit(options(rows(label=lambda topic, _: int(topic == "law")), task="domain"), print)


def test_somewhere_to_write_is_needed(options: Any, shipped: Path, tmp_path: Path) -> None:
    labelled = rows(label=lambda topic, _: topic)
    with pytest.raises(StartupError, match="--in-place"):
        head_command.fit(options(labelled, out=None), print)
    taken = shutil.copytree(shipped, tmp_path / "taken")
    with pytest.raises(StartupError, match="is there already"):
        head_command.fit(options(labelled, out=taken), print)
