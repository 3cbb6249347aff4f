"""The demo as people run it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import demo
from extproc_router.lab.demo import Heard
from extproc_router.lab.probes import children_of
from extproc_router.lab.prompts import Ask

if TYPE_CHECKING:
    from typing import IO

pytestmark = pytest.mark.envoy

COMMAND = [sys.executable, "-m", "extproc_router", "demo"]
DECIDED = {
    "model": "small-8b",
    "cluster": "small",
    "reason": "low_confidence",
    "signals": [{"name": "domain", "label": "math", "confidence": 0.314}],
    "total_ms": 12.34,
}


def test_once_shows_a_table_and_ends_well() -> None:
    done = subprocess.run([*COMMAND, "--once"], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "12 requests, 0 problems" in done.stdout
    assert re.search(r"^Does this model exist\? +- +- +refused +- +404 error", done.stdout, re.MULTILINE)
    assert re.search(r"^Why does my SQL join.* named +code +code-32b", done.stdout, re.MULTILINE)
    assert re.search(r"^Solve for x: my salary.* small +small-8b", done.stdout, re.MULTILINE)
    assert re.search(r"^all but `local` +536-22-8741 .* 503 +0 +0$", done.stdout, re.MULTILINE)
    assert re.search(r"^all but the router +536-22-8741 .* 503 +0 +0$", done.stdout, re.MULTILINE)
    assert "`external` never received it" in done.stdout
    assert re.search(r"^`small` is down .* 200 from large-70b +0 +1$", done.stdout, re.MULTILINE)
    assert re.search(r"^`small` is not sure .* 200 from large-70b +1 +1$", done.stdout, re.MULTILINE)
    assert re.search(r"^... and `large` is down .* 200 from small-8b +1 +0$", done.stdout, re.MULTILINE)
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_the_verdict_is_a_promise_or_a_list() -> None:
    assert demo.verdict([], "all is well") == "all is well"
    assert demo.verdict(["a", "b"], "all is well") == "  problem: a\n  problem: b"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_it_stays_up_until_told_to_stop_and_leaves_nothing(number: signal.Signals, status: int) -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout is not None
        said = read_until(running.stdout, "Ctrl-C stops everything.")
        children = children_of(running.pid)
        assert len(children) == 2

        curl = re.search(r"^  curl .*\\\n.*$", said, re.MULTILINE)
        assert curl
        answer = subprocess.run(["sh", "-c", curl[0]], capture_output=True, text=True, timeout=60, check=True)
        assert " says hello." in answer.stdout
        read_until(running.stdout, "(yours) chat_completions")

        running.send_signal(number)
        assert running.wait(30) == status
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def read_until(stream: IO[str], text: str) -> str:
    said = ""
    for line in stream:
        said += line
        if text in line:
            return said
    raise AssertionError(f"it ended without saying {text!r}:\n{said}")


def test_a_line_shows_decision_and_answer() -> None:
    assert demo.line("What is 2 + 2?", DECIDED, "small-8b") == (
        "What is 2 + 2?                   math              0.31  low confidence  small    small-8b      12.3"
    )
    assert demo.line("x", {**DECIDED, "signals": [], "cluster": ""}, "404 error").split() == [
        *("x", "-", "-", "low", "confidence", "-", "404", "error", "12.3"),
    ]


@pytest.mark.parametrize(
    ("status", "model", "text", "found"),
    [
        (200, "small-8b", "small-8b on small says hello.", 0),
        (200, "large-70b", "large-70b on large says hello.", 1),
        (200, "small-8b", "small-8b on large says hello.", 1),
        (200, "small-8b", "", 1),
        (503, "503 error", "no", 1),
    ],
)
def test_an_answer_from_elsewhere_is_a_problem(status: int, model: str, text: str, found: int) -> None:
    assert len(demo.complaints(Ask("x"), Heard(status, "id", model, text), DECIDED)) == found


def test_a_refusal_that_was_expected_is_none() -> None:
    refused = {**DECIDED, "model": "", "cluster": ""}

    assert demo.complaints(Ask("x", model="y", status=404), Heard(404, "id", "404 error", ""), refused) == []
    assert len(demo.complaints(Ask("x", model="y", status=404), Heard(200, "id", "y", ""), refused)) == 1
