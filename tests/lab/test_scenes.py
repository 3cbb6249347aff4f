"""An act says so where anything goes wrong; test_demo.py plays the real ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from extproc_router.lab import scenes
from extproc_router.lab.scenes import Scene
from extproc_router.lab.simulator import ModelServer

PROMPT = "hello"


def house() -> Any:
    return SimpleNamespace(
        servers={name: ModelServer(name) for name in ("local", "external")},
        served_by={"a-model": "local", "b-model": "external"},
    )


@pytest.mark.parametrize(
    ("scene", "status", "model", "reached", "fine"),
    [
        (Scene("", scenes.nothing, PROMPT, "local"), 200, "a-model", ["local"], True),
        (Scene("", scenes.nothing, PROMPT, "local"), 200, "b-model", ["external"], False),
        (Scene("", scenes.nothing, PROMPT, "local"), 200, "a-model", ["local", "external"], False),
        (Scene("", scenes.nothing, PROMPT, "local"), 200, "a-model", [], False),
        (Scene("", scenes.nothing, PROMPT, "local"), 503, "", ["local"], False),
        (Scene("", scenes.nothing, PROMPT, None), 503, "", [], True),
        (Scene("", scenes.nothing, PROMPT, None), 503, "", ["external"], False),
        (Scene("", scenes.nothing, PROMPT, None), 500, "", [], False),
        (Scene("", scenes.nothing, PROMPT, None), 200, "a-model", ["local"], False),
        (Scene("", scenes.nothing, PROMPT, "local", ("local", "external")), 200, "a-model", ["local"], False),
        (
            Scene("", scenes.nothing, PROMPT, "local", ("local", "external")),
            200,
            "a-model",
            ["local", "external"],
            True,
        ),
    ],
)
def test_a_scene_is_judged_by_who_answered_and_who_was_asked(
    monkeypatch: pytest.MonkeyPatch, scene: Scene, status: int, model: str, reached: list[str], fine: bool
) -> None:
    running = house()

    def ask(*_: object) -> tuple[int, str]:
        for name in reached:
            running.servers[name].total += 1
        return status, model

    monkeypatch.setattr(scenes, "ask", ask)
    assert (scenes.play(running, [scene], ("local", "external")) == []) is fine


def test_what_is_taken_away_is_taken_before_the_prompt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order: list[str] = []

    def ask(*_: object) -> tuple[int, str]:
        order.append("asked")
        return 503, ""

    monkeypatch.setattr(scenes, "ask", ask)
    act = [Scene("all but the router", lambda _: order.append("taken"), PROMPT, None)]
    assert scenes.play(house(), act, ("local", "external")) == []
    assert order == ["taken", "asked"]
    said = capsys.readouterr().out
    assert "LOCAL" in said
    assert "EXTERNAL" in said
    assert "all but the router" in said
