from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer

from extproc_router.errors import StartupError
from extproc_router.lab import load
from extproc_router.lab import stack as lab

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.lab.simulator import ModelServer


def test_a_prompt_has_as_many_tokens_as_it_says() -> None:
    tokenizer = Tokenizer.from_file(str(lab.MODEL / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    for tokens in (1, 64, 8_000):
        assert len(tokenizer.encode(load.prompt(tokens, seed=1)).ids) == tokens + 2  # [CLS] and [SEP]


def test_prompts_differ_and_can_be_made_again() -> None:
    assert load.prompt(64, seed=1) == load.prompt(64, seed=1) != load.prompt(64, seed=2)


def test_bodies_are_chat_requests_each_another(tmp_path: Path) -> None:
    directory = load.bodies(tmp_path / "bodies", model="auto", tokens=5, count=20)

    bodies = [json.loads(file.read_text()) for file in directory.iterdir()]
    assert {body["model"] for body in bodies} == {"auto"}
    assert len({body["messages"][0]["content"] for body in bodies}) == 20


def test_bodies_may_begin_alike_and_chats_may_be_streams(tmp_path: Path) -> None:
    directory = load.bodies(tmp_path / "bodies", model="auto", tokens=5, count=3, first="zeta")

    texts = [json.loads(file.read_text())["messages"][0]["content"] for file in directory.iterdir()]
    assert all(text.startswith("zeta ") and len(text.split()) == 6 for text in texts)
    streamed = json.loads(load.chat("m", "hello", stream=True))
    assert streamed == {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}


@pytest.mark.parametrize("wrk", [True, False], ids=["wrk", "own"])
def test_load_is_counted(tmp_path: Path, small: ModelServer, monkeypatch: pytest.MonkeyPatch, *, wrk: bool) -> None:
    if wrk and not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    if not wrk:
        monkeypatch.setattr("shutil.which", lambda _: None)
    bodies = load.bodies(tmp_path / "bodies", model="auto", tokens=5, count=7)

    result = load.run(small.port, bodies, connections=3, seconds=0.5, scratch=tmp_path)

    # Requests that are under way when the time is up are not counted.
    assert result.requests <= small.total <= result.requests + 3
    assert result.requests > 10
    assert result.errors == 0
    assert 0 < result.p50_ms <= result.p99_ms
    assert result.per_second == result.requests / result.seconds
    assert {request.body for request in small.received} == {file.read_bytes() for file in bodies.iterdir()}
    assert ("wrk" in load.generator_name()) is wrk


@pytest.mark.parametrize("wrk", [True, False], ids=["wrk", "own"])
def test_answers_other_than_200_are_errors(
    tmp_path: Path, small: ModelServer, monkeypatch: pytest.MonkeyPatch, *, wrk: bool
) -> None:
    if wrk and not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    if not wrk:
        monkeypatch.setattr("shutil.which", lambda _: None)
    small.status = 500

    result = load.run(
        small.port,
        load.bodies(tmp_path / "bodies", model="auto", tokens=5, count=1),
        connections=1,
        seconds=0.2,
        scratch=tmp_path,
    )

    assert result.errors == result.requests > 0


def test_a_generator_that_fails_is_a_startup_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)

    with pytest.raises(StartupError, match="the load generator failed"):
        load.run(1, tmp_path / "absent", connections=1, seconds=0.1, scratch=tmp_path)
