from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, get_args

import pytest

from extproc_router import cli
from extproc_router.cli import train
from extproc_router.training import head_command
from extproc_router.training.ladder import Kind

if TYPE_CHECKING:
    from collections.abc import Callable


def run(*argv: str) -> int:
    try:
        return cli.main(["train", *argv])
    except SystemExit as end:
        return int(end.code or 0)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Put a double in the place of a module that needs torch: what its options were."""

    def put(name: str) -> dict[str, Any]:
        asked: dict[str, Any] = {}

        def options(**given: Any) -> SimpleNamespace:
            asked.update(given)
            return SimpleNamespace(**given)

        def train(_: SimpleNamespace, say: Callable[[str], None]) -> str:
            say("step 1")
            return "done"

        module = ModuleType(name)
        module.__dict__.update(Options=options, train=train)
        monkeypatch.setitem(sys.modules, f"extproc_router.training.{name}", module)
        return asked

    return put


def test_everything(trainer: Callable[[str], dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    asked = trainer("pipeline")
    assert run("model", "--data", "pool", "--out", "made", "--seed", "3", "--epochs", "2.5", "--resume") == 0
    expected = {"data": Path("pool"), "out": Path("made"), "seed": 3, "epochs": 2.5, "resume": True, "device": "auto"}
    assert asked == expected | {"cache": Path("out/train")}
    said = capsys.readouterr()
    assert (said.out, said.err) == ("made: done\n", "step 1\n")


def test_the_trunk_keeps_the_defaults_of_what_was_not_said(trainer: Callable[[str], dict[str, Any]]) -> None:
    asked = trainer("trunk")
    assert run("trunk", "--data", "pool", "--out", "made") == 0
    assert asked == {"data": Path("pool"), "out": Path("made"), "seed": 0, "resume": False, "device": "auto"}


@pytest.mark.parametrize("subject", ["model", "trunk"])
def test_without_torch_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], subject: str
) -> None:
    for name in ("pipeline", "trunk"):
        monkeypatch.setitem(sys.modules, f"extproc_router.training.{name}", None)
    assert run(subject, "--data", "pool", "--out", "made") == 1
    assert "extproc-router[train]" in capsys.readouterr().err


def test_a_head(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[head_command.Options] = []

    def fit(options: head_command.Options, say: Callable[[str], None]) -> head_command.Report:
        asked.append(options)
        say("fitting")
        return head_command.Report(Path("made"), "abc", "flag", {"AUC": 0.9})

    monkeypatch.setattr(head_command, "fit", fit)
    options = ["--task", "urgent", "--data", "rows.jsonl", "--fpr", "0.02", "--kind", "flag"]
    assert run("head", *options, "--model", "from", "--out", "made") == 0
    [given] = asked
    assert (given.task, given.data, given.model, given.out) == (
        "urgent",
        Path("rows.jsonl"),
        Path("from"),
        Path("made"),
    )
    assert (given.fpr, given.kind, given.in_place) == (0.02, "flag", False)
    said = capsys.readouterr()
    assert said.out == "made: head urgent (flag), version abc\n  AUC: 0.9\n"
    assert said.err == "fitting\n"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["none"],
        ["model"],
        ["trunk", "--data", "x"],
        ["trunk", "--data", "x", "--out", "y", "--epochs", "0"],
        ["trunk", "--data", "x", "--out", "y", "--epochs", "nan"],
        ["trunk", "--data", "x", "--out", "y", "--device", "tpu"],
        ["head", "--task", "x", "--data", "y"],
        ["head", "--task", "x", "--data", "y", "--out", "z", "--in-place"],
        ["head", "--task", "x", "--data", "y", "--in-place", "--kind", "other"],
        ["head", "--task", "x", "--data", "y", "--in-place", "--fpr", "1"],
    ],
)
def test_usage_is_2(argv: list[str]) -> None:
    assert run(*argv) == 2


def test_the_kinds_are_those_that_can_be_fitted() -> None:
    assert get_args(Kind) == train.KINDS
