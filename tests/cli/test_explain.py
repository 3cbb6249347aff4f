from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import cli, wiring
from extproc_router.config import loader
from extproc_router.server.state import Applied, State
from extproc_router.telemetry import decision_log
from extproc_router.types import HttpRequest, Record

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[..., tuple[int, str, str]]


def main(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    try:
        status = cli.main(["explain", *argv])
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture
def shipped(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `explain` with the shipped config and encoder."""
    return lambda *argv: main(capsys, *argv)


@pytest.fixture
def explain(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    told_config: str,
    scripted_encoder: Any,
) -> Command:
    """Run `explain` with a config of every kind of rule and a scripted encoder."""
    monkeypatch.setattr(wiring, "load_encoder", lambda *_, **__: scripted_encoder)
    path = tmp_path / "router.yaml"
    path.write_text(told_config)
    return lambda *argv: main(capsys, "--config", str(path), *argv)


@pytest.fixture
def log_line(told_config: str, scripted_encoder: Any) -> bytes:
    router = wiring.build_router(loader.load(told_config, "r.yaml"), scripted_encoder)
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "some hard math"}]}'
    answer, _ = wiring.decide(router, scripted_encoder, HttpRequest("POST", "/v1/chat/completions", {}, body))
    return decision_log.line(Record(answer.decision, 1.0, 0.01, None, "", ""))


def give(monkeypatch: pytest.MonkeyPatch, stdin: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))


class TestShipped:
    def test_a_prompt_is_decided_and_told(self, shipped: Command) -> None:
        status, out, _ = shipped("Prove that the square root of 2 is irrational.")
        assert status == 0
        for part in ("on cluster", "domain", "Took", "no rule asks for"):
            assert part in out

    def test_what_cannot_be_read_goes_to_the_default_and_says_so(self, shipped: Command) -> None:
        status, out, _ = shipped("\N{SLIGHTLY SMILING FACE}\N{SLIGHTLY SMILING FACE}")
        assert status == 0
        assert "small-8b on cluster small" in out
        assert "nothing to read" in out

    def test_json_is_one_object_with_the_records_names(self, shipped: Command) -> None:
        status, out, _ = shipped("--json", "Prove that the square root of 2 is irrational.")
        document = json.loads(out)
        assert status == 0
        assert document["set_headers"]["x-selected-cluster"] == document["cluster"]
        assert abs(sum(document["encoder"][0]["heads"]["domain"]["probs"].values()) - 1) < 1e-3


class TestRequest:
    def test_a_prompt_from_stdin_is_the_same(self, explain: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        give(monkeypatch, b"some hard math")
        status, out, _ = explain("--json", "-")
        assert (status, json.loads(out)["rule"]) == (0, "maths")

    def test_a_body_that_would_be_refused_is_exit_1(self, explain: Command, tmp_path: Path) -> None:
        path = tmp_path / "body.json"
        path.write_text('{"model": "gpt-9", "messages": []}')
        status, out, _ = explain("--body", str(path))
        assert status == 1
        assert "'gpt-9' does not exist" in out

    def test_a_completion_that_declines_is_exit_0(self, explain: Command) -> None:
        assert explain("damn")[0] == 0
        assert explain("an attack")[0] == 1

    def test_a_header_raises_the_tier_and_repeated_ones_are_joined(self, explain: Command) -> None:
        tiers = ("--header", "X-Privacy-Tier: restricted", "--header", "x-privacy-tier: public")
        assert json.loads(explain("--json", *tiers, "hi")[1])["privacy_tier"] == "restricted"

    def test_another_path_is_another_api(self, explain: Command) -> None:
        assert json.loads(explain("--json", "--path", "/v1/messages", "hi")[1])["api"] == "anthropic_messages"

    def test_a_body_that_is_not_there_is_a_stated_failure(self, explain: Command) -> None:
        for path in ("/nowhere", "a\0b"):
            status, _, err = explain("--body", path)
            assert (status, err.startswith("extproc-router: ")) == (1, True)


class TestUsage:
    @pytest.mark.parametrize(
        "argv",
        [
            [],
            ["x", "--body", "y"],
            ["x", "--decision", "y"],
            ["x", "--header", "novalue"],
            ["--what-if", "y"],
            ["--data", "y", "x"],
            ["--decision", "y", "--header", "a:b"],
            ["--what-if", "y", "--data", "z", "--version", "123456"],
        ],
    )
    def test_what_cannot_be_asked_is_usage(self, shipped: Command, argv: list[str]) -> None:
        assert shipped(*argv)[0] == 2

    def test_a_closed_stdin_is_said(self, explain: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", None)
        assert explain("-") == (1, "", "extproc-router: it is to come from stdin, which is closed\n")


class TestDecision:
    def test_a_line_of_the_log_is_told(self, explain: Command, tmp_path: Path, log_line: bytes) -> None:
        path = tmp_path / "log.jsonl"
        path.write_bytes(log_line)
        status, out, _ = explain("--decision", str(path))
        assert status == 0
        assert "Note: the log keeps no body" in out
        assert "decided under config" not in out

    def test_it_comes_from_stdin_too(self, explain: Command, monkeypatch: pytest.MonkeyPatch, log_line: bytes) -> None:
        give(monkeypatch, log_line)
        assert json.loads(explain("--json", "--decision", "-")[1])["rule"] == "maths"

    def test_what_is_no_line_is_a_stated_failure(self, explain: Command, tmp_path: Path) -> None:
        (tmp_path / "log").write_text("nope\n")
        status, _, err = explain("--decision", str(tmp_path / "log"))
        assert (status, "not a line of the decision log" in err) == (1, True)


class TestVersion:
    @pytest.fixture
    def old(self, tmp_path: Path, told_config: str, scripted_encoder: Any) -> tuple[str, ...]:
        """Options that name a version which ran before, under which maths goes elsewhere."""
        text = told_config.replace("strong: large", "strong: free").encode()
        version = loader.load(text, "r.yaml").version
        applied = Applied(version, "e9", str(tmp_path / "router.yaml"), text, {}, 0, 1.0, "")
        State(tmp_path / "state").applied(applied)
        return ("--state", str(tmp_path / "state"), "--version", version[:6])

    def test_a_prompt_is_decided_under_it(self, explain: Command, old: tuple[str, ...]) -> None:
        status, out, _ = explain("--json", "some hard math", *old)
        assert (status, json.loads(out)["model"]) == (0, "free")
        assert "last ran with encoder e9" in json.loads(out)["notes"][0]
        assert json.loads(explain("--json", "some hard math")[1])["model"] == "large"

    def test_an_unknown_one_is_a_stated_failure(self, explain: Command, old: tuple[str, ...]) -> None:
        status, _, err = explain("hi", *old[:3], "000000")
        assert (status, "no version 000000" in err) == (1, True)

    def test_a_line_of_the_log_finds_its_own(
        self, explain: Command, old: tuple[str, ...], tmp_path: Path, log_line: bytes, told_config: str
    ) -> None:
        (tmp_path / "log").write_bytes(log_line)
        text = told_config.encode()
        version = loader.load(text, "r.yaml").version
        State(tmp_path / "state").applied(Applied(version, "e0", "/r.yaml", text, {}, 0, 1.0, ""))
        (tmp_path / "router.yaml").write_text(told_config.replace("strong: large", "strong: free"))

        status, out, _ = explain("--json", "--decision", str(tmp_path / "log"), *old[:2])

        notes = json.loads(out)["notes"]
        assert status == 0
        assert notes[0].startswith(f"told under version {version}, which decided it")
        assert not any("decided under config" in note for note in notes)

    def test_it_may_be_told_under_another(
        self, explain: Command, old: tuple[str, ...], tmp_path: Path, log_line: bytes
    ) -> None:
        (tmp_path / "log").write_bytes(log_line)
        out = explain("--json", "--decision", str(tmp_path / "log"), *old)[1]
        assert any("decided under config" in note for note in json.loads(out)["notes"])


class TestWhatIf:
    @pytest.fixture
    def files(self, tmp_path: Path, told_config: str) -> tuple[str, ...]:
        (tmp_path / "other.yaml").write_text(told_config.replace("strong: large", "strong: free"))
        (tmp_path / "data.jsonl").write_text('{"text": "some hard math"}\n{"text": "hi"}\n')
        return ("--what-if", str(tmp_path / "other.yaml"), "--data", str(tmp_path / "data.jsonl"))

    def test_what_changes_is_told(self, explain: Command, files: tuple[str, ...]) -> None:
        status, out, err = explain(*files)
        assert (status, err) == (0, "")
        assert "2 requests, 1 decision would change (50.0%)" in out
        assert "estimated cost, USD" in out

    def test_json_is_one_object(self, explain: Command, files: tuple[str, ...]) -> None:
        document = json.loads(explain("--json", *files)[1])
        assert document["moves"] == [{"from": "large", "to": "free", "count": 1, "examples": ["line 1"]}]

    def test_bad_lines_are_told_and_exit_1(self, explain: Command, files: tuple[str, ...], tmp_path: Path) -> None:
        (tmp_path / "data.jsonl").write_text('{"text": "hi"}\nnope\n')
        status, out, err = explain(*files)
        assert status == 1
        assert "1 line could not be used" in out
        assert "data.jsonl:2: " in err
