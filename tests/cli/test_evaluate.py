from __future__ import annotations

import argparse
import gzip
import json
from typing import TYPE_CHECKING

import pytest

from extproc_router import wiring
from extproc_router.cli import evaluate
from extproc_router.errors import StartupError
from extproc_router.types import Encoding, Flag, Pair, Span

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.types import HeadAnswer

TOY = [(0, 1, 4), (0, 1, 3), (1, 1, 2), (1, 0, 1)]


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["evaluate", *arguments])
    return int(args.run(args))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl.gz"
    rows = [
        {"prompt": "p" * at, "scores": {"w": weak, "s": strong}, "mine": mine, "task": "t"}
        for at, (weak, strong, mine) in enumerate(TOY)
    ]
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    return path


def test_a_pair_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("routing", "--data", str(data), "--strong", "s", "--weak", "w", "--score-field", "mine", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n"] == 4
    assert document["strategies"]["mine"]["apgr"] == pytest.approx(1.375, abs=1e-9)
    assert document["strategies"]["random"]["cpt50"] == 50
    assert document["strategies"]["length"]["apgr"] == pytest.approx(-0.375, abs=1e-9)


def test_a_pair_as_table_with_prices_and_report(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"w": 1, "s": 4}')
    options = [
        "--prices",
        str(prices),
        "--report",
        str(tmp_path / "out"),
        "--strategies",
        "length",
        "--bootstrap",
        "20",
    ]
    assert run("routing", "--data", str(data), "--strong", "s", "--weak", "w", *options) == 0
    out = capsys.readouterr()
    assert "saved over always-strong" in out.out
    assert "report.html" in out.err
    assert (tmp_path / "out" / "frontier.png").exists()


def test_many_models(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("routing", "--data", str(data), "--json", "--bootstrap", "10") == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["models"]) == {"w", "s"}
    assert document["strategies"]["oracle"]["quality"] == 1.0
    assert run("routing", "--data", str(data), "--strategies", "group-mean", "--bootstrap", "10") == 0
    assert "4 rows, 2 models" in capsys.readouterr().out


def test_bad_rows_are_told_and_refused_where_strict(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data.write_bytes(gzip.decompress(data.read_bytes()) + b'\n{"prompt": 1}\n')
    options = ["routing", "--data", str(data), "--strong", "s", "--weak", "w", "--bootstrap", "0"]
    assert run(*options) == 0
    assert ":5: " in capsys.readouterr().err
    with pytest.raises(StartupError, match=":5: "):
        run(*options, "--strict")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--strong", "s"], "both --strong and --weak"),
        (["--strong", "s", "--weak", "x"], "no model x"),
        (["--score-field", "mine"], "--strong and --weak"),
        (["--strong", "s", "--weak", "w", "--score-field", "other"], "no number under 'other'"),
        (["--strong", "s", "--weak", "w", "--strategies", "magic"], "unknown strategy magic"),
        (["--strategies", "magic"], "unknown strategy magic"),
        (["--strong", "s", "--weak", "w", "--strategies", "lenght"], "did you mean 'length'.*known: .*llm-judge.*mf"),
        (["--strategies", "linaer"], "did you mean 'linear'.*known: .*table"),
        (["--strong", "s", "--weak", "w", "--score-field", "length"], "a strategy is called that"),
        (["--strong", "s", "--weak", "w", "--score-field", "mf"], "a strategy is called that"),
        (["--strong", "s", "--weak", "w", "--score-field", "policy"], "a strategy is called that"),
    ],
)
def test_usage_is_explained(data: Path, options: list[str], message: str) -> None:
    with pytest.raises(StartupError, match=message):
        run("routing", "--data", str(data), *options)


def test_a_field_given_twice_is_one(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--score-field", "mine", "--score-field", "mine", "--bootstrap", "0", "--json"]
    assert run("routing", "--data", str(data), "--strong", "s", "--weak", "w", *options) == 0
    assert "mine" in json.loads(capsys.readouterr().out)["strategies"]


@pytest.mark.parametrize("subject", [["routing"], ["heads"]])
def test_a_report_that_cannot_be_written_is_known_before_reading(tmp_path: Path, subject: list[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match=r"file/out: "):
        run(*subject, "--data", str(tmp_path / "missing"), "--report", str(tmp_path / "file" / "out"))


def test_heads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"label": "ab"[at % 2], "probs": {"a": 0.9, "b": 0.1}, "source": "web"} for at in range(40)]
    path.write_text("\n".join(json.dumps(row) for row in [*rows, {"label": "c", "probs": {"a": 1, "b": 0}}]))
    assert run("heads", "--data", str(path), "--json", "--bootstrap", "20", "--report", str(tmp_path / "out")) == 0
    out = capsys.readouterr()
    assert json.loads(out.out)["accuracy"]["value"] == 0.5
    assert "1 rows were left out" in out.err
    assert (tmp_path / "out" / "reliability.png").exists()
    assert run("heads", "--data", str(path), "--bootstrap", "20") == 0
    assert "recall at FPR 0.01" in capsys.readouterr().out


def test_the_encoder_reads_texts_without_an_answer(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"label": "math", "text": "What is the derivative of x^3 + 2x?"}\n')
    model = ["--model", str(root / "models/minilm-l4-router")]
    assert run("heads", "--data", str(path), "--json", "--bootstrap", "0", *model) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 1
    with pytest.raises(StartupError, match="no head 'other'"):
        run("heads", "--data", str(path), "--head", "other", *model)


def test_spans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.jsonl"
    span = {"start": 0, "end": 3, "type": "PERSON"}
    path.write_text("\n".join(json.dumps(row) for row in [{"spans": [span], "pii": [span]}, {"spans": []}]))
    assert run("heads", "--data", str(path), "--head", "pii", "--json", "--bootstrap", "10") == 0
    out = capsys.readouterr()
    assert json.loads(out.out)["f1"]["value"] == 1.0
    assert "1 rows were left out" in out.err
    assert run("heads", "--data", str(path), "--head", "pii", "--spans", "--bootstrap", "0") == 0
    assert "PERSON" in capsys.readouterr().out
    with pytest.raises(StartupError, match="--report"):
        run("heads", "--data", str(path), "--head", "pii", "--report", str(tmp_path / "out"))


class Model:
    """Answers every kind of head."""

    signals = ("flag", "pair", "pii")

    def encode(self, text: str, signals: set[str]) -> Encoding:
        answers: dict[str, HeadAnswer] = {
            "flag": Flag(0.9, raised=True),
            "pair": Pair(0.5, 0.5, 0.5),
            "pii": (Span(0, len(text), "PERSON", 0.9),),
        }
        return Encoding({name: answers[name] for name in signals}, dict.fromkeys(signals, 1), 3, windowed=False)


def test_the_encoder_is_asked_for_the_head_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiring, "load_encoder", lambda _: Model())
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"label": 1, "spans": [{"start": 0, "end": 3, "type": "PERSON"}], "text": "Ann"}))
    options = ("--data", str(path), "--json", "--bootstrap", "0", "--head")
    assert run("heads", *options, "flag") == 0
    assert json.loads(capsys.readouterr().out)["flagged"]["all"]["recall"] == 1.0
    assert run("heads", *options, "pii") == 0
    assert json.loads(capsys.readouterr().out)["f1"]["value"] == 1.0
    for head, message in (("pair", "evaluate routing"), ("none", "no head 'none'")):
        with pytest.raises(StartupError, match=message):
            run("heads", *options, head)
    with pytest.raises(StartupError, match="finds no spans"):
        run("heads", *options, "flag", "--spans")
