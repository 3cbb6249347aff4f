from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab.simulation import script
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from pathlib import Path


def test_steps_stand_on_what_the_options_say(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text("- {status: 429, retry_after_seconds: 1, times: 2}\n- fault: reset\n  fault_at: mid_answer\n- {}\n")
    base = Behaviour(ttft_seconds=0.5)

    busy, again, reset, good = script.read(path, base)

    assert busy == again == Behaviour(ttft_seconds=0.5, status=429, retry_after_seconds=1)
    assert (reset.fault, reset.fault_at, reset.ttft_seconds) == ("reset", "mid_answer", 0.5)
    assert good == base


def test_json_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('[{"answer": "bad"}]')
    assert script.read(path, Behaviour()) == (Behaviour(answer="bad"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a list of steps"),
        ("[]", "expected a list of steps"),
        ("{status: 500}", "expected a list of steps"),
        ("- 1", "step 1: expected members"),
        ("- {}\n- {status: 99}", r"step 2: .*\$\.status"),
        ("- {status: '503'}", r"step 1: .*\$\.status"),
        ("- {speed: 3}", "step 1: .*speed"),
        ("- {1: 2}", "step 1: "),
        ("- {times: 0}", r"step 1: .*\$\.times"),
        ("- {times: 10000}\n- {}", "more than 10000 steps"),
        ("- [", "script.yaml: "),
        ("\x00", "script.yaml: "),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text)
    with pytest.raises(StartupError, match=told):
        script.read(path, Behaviour())


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for read in (lambda path: script.read(path, Behaviour()), script.outcomes):
        with pytest.raises(StartupError, match="No such file"):
            read(tmp_path / "none")


def test_a_command_line_writes_text() -> None:
    assert script.behaviour({"status": "503", "ttft_seconds": "0.5", "crlf": True}, strict=False) == Behaviour(
        status=503, ttft_seconds=0.5, crlf=True
    )
    with pytest.raises(ValueError, match="ttft_seconds"):
        script.behaviour({"ttft_seconds": "soon"}, strict=False)


def test_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text('{"prompt": "a", "good": true, "more": 1}\n\n{"prompt": "b", "good": false}\n')
    assert script.outcomes(path) == {"a": True, "b": False}
    path.write_text('{"prompt": "a", "good": true}\n{"prompt": "b"}\n')
    with pytest.raises(StartupError, match=r"outcomes.jsonl:2: .*good"):
        script.outcomes(path)
