from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from openai import APIStatusError, OpenAI

from extproc_router.cli import build_parser, main
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from pathlib import Path

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_it_serves_a_script_and_ends_cleanly(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- {status: 429, retry_after_seconds: 3}\n- {answer: good}\n")
    argv = [sys.executable, "-m", "extproc_router", "simulate", "--listen=127.0.0.1:0", "--model=m", "--cluster=weak"]
    process = subprocess.Popen([*argv, f"--script={script}"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        name, _, url = process.stdout.readline().strip().partition(" listens on ")
        with OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=10) as client:
            with pytest.raises(APIStatusError) as refused:
                client.chat.completions.create(**ASK)
            said = [client.chat.completions.create(**ASK).choices[0].message.content for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()

    assert name == "weak"
    assert (refused.value.status_code, refused.value.response.headers["retry-after"]) == (429, "3")
    assert said[0] == said[1]
    assert "m on weak says: The answer is certain:" in (said[0] or "")


def test_every_member_of_a_behaviour_is_an_option() -> None:
    args = build_parser().parse_args(["simulate", "--ttft-seconds", "0.5", "--crlf", "--fault", "reset"])
    assert (args.ttft_seconds, args.crlf, args.fault, args.status) == ("0.5", True, "reset", None)
    assert all(hasattr(args, name) for name in Behaviour.__struct_fields__)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--ttft-seconds", "soon"], "ttft_seconds"),
        (["--status", "200"], "status"),
        (["--script", "/nowhere"], "/nowhere"),
        (["--outcomes", "/nowhere"], "/nowhere"),
        (["--listen", "here"], "expected host:port"),
        (["--listen", "unix:/run/x"], "listens on host:port"),
        (["--listen", "192.0.2.1:1"], "cannot listen on 192.0.2.1:1"),
    ],
)
def test_mistakes_are_stated(capsys: pytest.CaptureFixture[str], argv: list[str], told: str) -> None:
    assert main(["simulate", *argv]) == 1
    assert told in capsys.readouterr().err


def test_unknown_choices_are_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "--fault", "mischief"])
    assert "mischief" in capsys.readouterr().err
