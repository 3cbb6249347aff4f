from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.errors import StartupError
from extproc_router.training import labels

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = [(1, 1), (1, 0), (0, 1), (0, 0)]


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def flags(count: int = 20) -> list[dict[str, Any]]:
    return [{"text": f"number {number}", "label": number % 2} for number in range(count)]


def test_flags(tmp_path: Path) -> None:
    rows = flags()
    rows[0] |= {"label": False, "group": "g", "source": "web"}
    rows[1] |= {"label": "1", "group": "g"}
    found = labels.read(write(tmp_path / "rows.jsonl", [*rows, "", {"text": "NUMBER 5!", "label": True}]))
    assert found.kind == "flag"
    assert found.said[:3] == (False, True, False)
    assert found.groups[0] == found.groups[1] == "group g"
    assert found.groups[5] == found.groups[20]  # the same text, but for case and marks
    assert found.sources[:2] == ("web", "")
    assert len(found) == 21


def test_choices_gzipped_and_lone_surrogates(tmp_path: Path) -> None:
    path = tmp_path / "rows.gz"
    lines = [f'{{"prompt": "a {number} \\ud83d", "label": "{"xyz"[number % 3]}"}}' for number in range(30)]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = labels.read(path)
    assert (found.kind, found.said[:3]) == ("choice", ("x", "y", "z"))
    assert found.texts[0] == "a 0 \ud83d"


def test_whole_numbers_beyond_0_and_1_are_names(tmp_path: Path) -> None:
    rows = [{"text": f"number {number}", "label": 1 + number % 5} for number in range(25)]
    assert labels.read(write(tmp_path / "rows.jsonl", rows)).said[:5] == ("1", "2", "3", "4", "5")


def test_a_choice_of_two_may_be_asked_for(tmp_path: Path) -> None:
    found = labels.read(write(tmp_path / "rows.jsonl", flags()), kind="choice")
    assert (found.kind, found.said[:2]) == ("choice", ("0", "1"))


def test_pairs_in_both_shapes(tmp_path: Path) -> None:
    rows: list[Any] = [
        {"prompt": f"q {number}", "strong_correct": PAIRS[number % 4][0], "weak_correct": PAIRS[number % 4][1]}
        for number in range(20)
    ]
    found = labels.read(write(tmp_path / "a.jsonl", rows))
    assert (found.kind, found.models) == ("pair", ("strong", "weak"))
    assert found.said[:4] == ((True, True), (True, False), (False, True), (False, False))
    rows[0] |= {"strong_model": "big", "weak_model": "small"}
    assert labels.read(write(tmp_path / "a.jsonl", rows)).models == ("big", "small")
    table = [
        {"text": f"q {number}", "correct": {"b": bool(PAIRS[number % 4][0]), "s": float(PAIRS[number % 4][1]), "x": 0}}
        for number in range(20)
    ]
    path = write(tmp_path / "b.jsonl", table)
    assert labels.read(path, strong="b", weak="s").said[:4] == found.said[:4]
    with pytest.raises(StartupError, match="--strong and --weak"):
        labels.read(path)
    with pytest.raises(StartupError, match=r"b\.jsonl:1: no 0 or 1"):
        labels.read(path, strong="b", weak="other")


def test_spans(tmp_path: Path) -> None:
    rows: list[Any] = [{"text": f"Ann is {number}", "spans": []} for number in range(20)]
    rows[3]["spans"] = [{"start": 7, "end": 8, "type": "AGE"}, {"start": 0, "end": 3, "type": "NAME", "value": "Ann"}]
    found = labels.read(write(tmp_path / "rows.jsonl", rows))
    assert found.kind == "spans"
    assert found.said[3] == ((0, 3, "NAME"), (7, 8, "AGE"))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ("[" * 100_000, "not JSON"),
        ({"label": 1}, "no `text` .*label"),
        ({"text": "x", "lbl": 1}, "no `label` .*text, lbl"),
        ({"text": "x", "label": 0.5}, "no `label`"),
        ({"text": "x", "label": ["a"]}, "no `label`"),
    ],
)
def test_a_bad_row_is_told_by_its_line(tmp_path: Path, row: Any, why: str) -> None:
    with pytest.raises(StartupError, match=rf"rows\.jsonl:2: {why}"):
        labels.read(write(tmp_path / "rows.jsonl", [flags()[0], row, *flags()[1:]]))


@pytest.mark.parametrize(
    "span",
    [
        "x",
        {"start": 0, "end": 9, "type": "A"},
        {"start": 2, "end": 2, "type": "A"},
        {"start": True, "end": 2, "type": "A"},
        {"start": 0, "end": 2},
        {"start": 0, "end": 2, "type": ""},
    ],
)
def test_a_bad_span_is_told_by_its_line(tmp_path: Path, span: Any) -> None:
    rows = [{"text": f"t{number:03}", "spans": []} for number in range(20)]
    path = write(tmp_path / "rows.jsonl", [*rows[:4], {"text": "text", "spans": [span]}, *rows[4:]])
    with pytest.raises(StartupError, match=r"rows\.jsonl:5: a span"):
        labels.read(path)
    overlap = [{"start": 0, "end": 3, "type": "A"}, {"start": 2, "end": 4, "type": "A"}]
    with pytest.raises(StartupError, match="overlap"):
        labels.read(write(tmp_path / "rows.jsonl", [{"text": "text", "spans": overlap}, *rows]))


@pytest.mark.parametrize(
    ("rows", "options", "why"),
    [
        (flags(19), {}, "19 rows, 20 is the least"),
        ([], {}, "0 rows"),
        ([{"text": f"t {n}", "label": 1} for n in range(20)], {}, "every row says True"),
        ([{"text": f"t {n}", "label": "a"} for n in range(20)], {}, "every row says 'a'"),
        ([{"text": f"t {n}", "label": "abbb"[min(n, 3)]} for n in range(20)], {}, "1 rows say 'a', 5 is the least"),
        ([{"text": "t", "label": n % 2} for n in range(20)], {}, "1 groups"),
        ([{"text": f"t {n}", "label": "maybe" if n else 1} for n in range(20)], {"kind": "flag"}, "'maybe' is neither"),
        ([{"text": f"t {n}", "spans": []} for n in range(20)], {}, "no row has a span"),
        (flags(), {"strong": "x"}, "of a pair"),
        (
            [{"text": f"t {n}", "strong_correct": 1, "weak_correct": n % 2} for n in range(20)],
            {},
            "both, one, the other and neither",
        ),
        ([{"text": f"t {n}", "strong_correct": 2, "weak_correct": 0} for n in range(20)], {}, ":1: no 0 or 1"),
    ],
)
def test_labels_that_cannot_be_learnt_say_why(
    tmp_path: Path, rows: list[Any], options: dict[str, Any], why: str
) -> None:
    with pytest.raises(StartupError, match=why):
        labels.read(write(tmp_path / "rows.jsonl", rows), **options)


def test_a_file_that_is_not_there_or_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="nowhere"):
        labels.read(tmp_path / "nowhere")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(StartupError, match=r"broken\.gz"):
        labels.read(broken)


@pytest.mark.parametrize("name", ["\ud800", "two\nlines", "x" * 201])
@pytest.mark.parametrize("member", ["label", "source", "type", "weak_model"])
def test_names_that_cannot_be_written_are_told(tmp_path: Path, member: str, name: str) -> None:
    rows: list[dict[str, Any]] = [{"text": f"t {n}", "label": "ab"[n % 2]} for n in range(20)]
    if member == "type":
        rows = [{"text": f"t {n}", "spans": [{"start": 0, "end": 1, "type": name}]} for n in range(20)]
    elif member == "weak_model":
        rows = [{"text": f"t {n}", "strong_correct": 0, "weak_correct": 0, member: name} for n in range(20)]
    else:
        rows[0][member] = name
    with pytest.raises(StartupError, match=f"the {member.replace('_', ' ')} "):
        labels.read(write(tmp_path / "rows.jsonl", rows))


def test_names_may_be_in_any_script(tmp_path: Path) -> None:
    rows = [{"text": f"t {n}", "label": ["नम\u200cस्ते", "👩\u200d🔬"][n % 2]} for n in range(20)]
    assert labels.read(write(tmp_path / "rows.jsonl", rows)).said[0] == "नम\u200cस्ते"
