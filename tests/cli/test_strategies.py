"""`evaluate --strategies`: learned strategies and models that are asked, beside the baselines."""

from __future__ import annotations

import argparse
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import cli
from extproc_router.cli import strategies
from extproc_router.evaluation import outcomes
from extproc_router.learning import crossfit
from extproc_router.training.outcomes import question_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HARD = ("prove", "derive", "integrate")
EASY = ("hello", "thanks", "weather")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outcomes in which the strong model pays on hard prompts alone."""
    dice = random.Random(0)
    path = tmp_path_factory.mktemp("outcomes") / "rows.jsonl"
    with path.open("w") as file:
        for number in range(120):
            hard = number % 2 == 0
            prompt = f"{dice.choice(HARD if hard else EASY)} {dice.choice(('algebra', 'today', 'sums'))} {number}"
            file.write(json.dumps({"prompt": prompt, "scores": {"weak": 0 if hard else 1, "strong": 1}}) + "\n")
    return path


class Judge(BaseHTTPRequestHandler):
    """Says yes to what is hard."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = request["messages"][-1]["content"]
        answer = "yes" if prompt.startswith(HARD) else "no"
        body = json.dumps({"choices": [{"message": {"content": answer}}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def judge() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def evaluate(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, *more: str) -> tuple[int, Any, str]:
    command = ["evaluate", "routing", f"--data={data}", f"--cache={tmp_path}", "--json", "--bootstrap=50", *more]
    status = cli.main(command)
    said = capsys.readouterr()
    return status, json.loads(said.out) if said.out else None, said.err


def test_learned_strategies_stand_beside_the_baselines(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    pair = ("--strong=strong", "--weak=weak", "--strategies=linear,mf")
    status, found, _ = evaluate(capsys, data, tmp_path, *pair)
    assert status == 0
    assert {"linear", "mf", "random", "length", "oracle"} <= set(found["strategies"])
    assert found["strategies"]["linear"]["apgr"] > found["strategies"]["random"]["apgr"] + 0.1


def test_and_among_many_models(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    status, found, _ = evaluate(capsys, data, tmp_path, "--strategies=linear")
    assert status == 0
    assert "linear" in json.dumps(found)


def test_folds_are_made_comparable(data: Path, tmp_path: Path, root: Path) -> None:
    args = argparse.Namespace(strategies=("linear",), model=root / "models/minilm-l4-router", cache=tmp_path)
    rows, _ = outcomes.read(data, keep_texts=True)
    need = strategies.for_pairs(args)["linear"](outcomes.pair(rows, weak="weak", strong="strong"), 5, 0)
    fold = crossfit.deal(question_groups(rows.texts or ()), 5, 0)
    assert need.std() > 0.02
    assert [float(need[fold == number].mean()) for number in range(5)] == pytest.approx([need.mean()] * 5)


def test_too_many_folds_are_refused(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    pair = ("--strong=strong", "--weak=weak", "--strategies=table", "--folds=60")
    status, _, said = evaluate(capsys, data, tmp_path, *pair)
    assert status == 1
    assert "ask for fewer folds" in said


def changed(data: Path, tmp_path: Path, change: Callable[[int, dict[str, float]], None]) -> Path:
    """A copy of the data with changed scores."""
    path = tmp_path / "changed.jsonl"
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    for number, row in enumerate(rows):
        change(number, row["scores"])
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_third_model_with_few_answers_does_not_stop_the_pair(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    def third(number: int, scores: dict[str, float]) -> None:
        if number < 3:
            # First, so that the columns of the pair are not what they would be without it.
            scores |= {"rare": 1.0, **{name: scores.pop(name) for name in tuple(scores)}}

    pair = ("--strong=strong", "--weak=weak", "--strategies=table,linear")
    status, found, said = evaluate(capsys, changed(data, tmp_path, third), tmp_path, *pair)
    assert status == 0, said
    _, alone, _ = evaluate(capsys, data, tmp_path, *pair)
    for name in ("table", "linear"):
        assert found["strategies"][name]["apgr"] == alone["strategies"][name]["apgr"]


def test_the_pair_itself_needs_answers(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    def few(number: int, scores: dict[str, float]) -> None:
        if number >= 9:
            del scores["weak"]

    pair = ("--strong=strong", "--weak=weak", "--strategies=table")
    status, _, said = evaluate(capsys, changed(data, tmp_path, few), tmp_path, *pair)
    assert status == 1
    assert "too few" in said


def test_grades_of_any_range_are_learnt_from(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    def grade(_: int, scores: dict[str, float]) -> None:
        scores |= {name: 1 + 4 * score for name, score in scores.items()}

    graded = changed(data, tmp_path, grade)
    for more in (("--strong=strong", "--weak=weak"), ()):
        status, found, said = evaluate(capsys, graded, tmp_path, "--strategies=linear", *more)
        assert status == 0, said
        _, plain, _ = evaluate(capsys, data, tmp_path, "--strategies=linear", *more)
        if more:
            assert found["strategies"]["linear"]["apgr"] == pytest.approx(plain["strategies"]["linear"]["apgr"])


def test_a_judge_is_asked_about_every_prompt(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, judge: str
) -> None:
    pair = ("--strong=strong", "--weak=weak", "--strategies=llm-judge", f"--judge-url={judge}")
    status, found, _ = evaluate(capsys, data, tmp_path, *pair)
    assert status == 0
    asked, oracle = found["strategies"]["llm-judge"], found["strategies"]["oracle"]
    assert asked["apgr"] == pytest.approx(oracle["apgr"]), "this judge is always right"


def test_a_judge_that_is_not_there_is_a_stated_failure(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path
) -> None:
    pair = ("--strong=strong", "--weak=weak", "--strategies=causal-llm")
    assert "--judge-url" in evaluate(capsys, data, tmp_path, *pair)[2]
    status, _, said = evaluate(capsys, data, tmp_path, *pair, "--judge-url=http://127.0.0.1:9")
    assert status == 1
    assert "no question was answered (judge_failed)" in said


def test_the_help_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "routing", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert [name for name in strategies.NAMES if name not in shown] == []
