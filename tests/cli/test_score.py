from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import cli, wiring
from extproc_router.types import Encoding, Flag

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

SLOW = "slow"


class Model:
    """Flags long texts."""

    signals = ("long", "never")

    def encode(
        self, text: str, signals: Collection[str] | None = None, *, tiers: bool = True, embedding: bool = False
    ) -> Encoding:
        if text == SLOW:
            raise KeyboardInterrupt
        heads = {name: Flag(0.5, raised=len(text) > 3) for name in signals or ("long",)}
        return Encoding(
            heads,
            dict.fromkeys(heads, 0 if tiers else 2),
            tokens=3,
            windowed=False,
            embedding=(1.0, 0.0) if embedding else None,
        )


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run the command on lines: status, objects, stderr."""
    monkeypatch.setattr(wiring, "load_encoder", lambda _: Model())

    def run(text: str, *options: str) -> tuple[int, list[dict[str, Any]], str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        status = cli.main(["score", *options])
        said = capsys.readouterr()
        return status, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def test_lines_come_back_in_order(score: Callable[..., Any]) -> None:
    status, lines, err = score('{"id": "b", "text": "hello"}\n{"id": "a", "text": "x"}')
    assert (status, err) == (0, "")
    assert [(line["id"], line["long"]["flag"], line["tier"]) for line in lines] == [("b", True, 0), ("a", False, 0)]
    assert "embedding" not in lines[0]


def test_options_reach_the_encoder(score: Callable[..., Any]) -> None:
    _, [line], _ = score('{"text": "x"}', "--signals", "never,never", "--tiers", "off", "--embedding")
    assert set(line) == {"id", "never", "embedding", "tier", "ms"}
    assert line["tier"] == 2


def test_a_bad_line_is_told_and_the_rest_is_scored(score: Callable[..., Any]) -> None:
    status, lines, err = score('{"text": "x"}\nnonsense\n{"text": "x"}\n')
    assert status == 1
    assert [line["id"] for line in lines] == [1, 3]
    assert "line 2: not JSON" in err
    assert "1 lines could not be scored" in err


def test_strict_stops_there(score: Callable[..., Any]) -> None:
    status, lines, err = score('{"text": "x"}\nnonsense\n{"text": "x"}\n', "--strict")
    assert status == 1
    assert [line["id"] for line in lines] == [1]
    assert "line 2: not JSON" in err


@pytest.mark.parametrize("names", ["other", "long,other", ","])
def test_an_unknown_signal_lists_the_known(score: Callable[..., Any], names: str) -> None:
    status, lines, err = score('{"text": "x"}', "--signals", names)
    assert (status, lines) == (1, [])
    assert "known: long, never" in err


def test_ctrl_c_keeps_what_is_done(score: Callable[..., Any]) -> None:
    status, lines, err = score(f'{{"text": "x"}}\n{{"text": "{SLOW}"}}\n')
    assert (status, len(lines), err) == (130, 1, "")


def test_nothing_in_is_nothing_out(score: Callable[..., Any]) -> None:
    assert score("") == (0, [], "")


def test_a_closed_stdin_is_a_stated_failure(score: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io, "TextIOWrapper", lambda _: None)
    status, _, err = score("")
    assert status == 1
    assert "stdin" in err


class TestProcess:
    """With the shipped model, as users run it."""

    def test_an_answer_comes_before_the_next_question(self) -> None:
        command = [sys.executable, "-m", "extproc_router", "score"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            for number in range(2):
                process.stdin.write(b'{"id": %d, "text": "What is 7 times 6?"}\n' % number)
                process.stdin.flush()
                assert json.loads(process.stdout.readline())["id"] == number
            process.send_signal(signal.SIGINT)
            process.stdin.close()
            assert process.wait(timeout=30) in {130, 0}

    def test_a_reader_that_has_seen_enough_is_no_traceback(self) -> None:
        lines = "".join(f'{{"text": "number {number}"}}\n' for number in range(2000))
        command = f"{sys.executable} -m extproc_router score | head -n 1"
        said = subprocess.run(["sh", "-c", command], input=lines, capture_output=True, text=True, check=False)
        assert said.stdout.count(os.linesep) == 1
        assert "Traceback" not in said.stderr
