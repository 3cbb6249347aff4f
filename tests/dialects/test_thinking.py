from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.candidates import Change, Reasoning, ReasoningStyle
from extproc_router.dialects import apply, edit, find

CHAT, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
EMBEDDINGS, ANTHROPIC = "/v1/embeddings", "/v1/messages"
S = ReasoningStyle


def told(path: str, style: S, *, think: bool, override: bool = False, say: str = "Hi", **members: Any) -> Any:
    """What is other in the body; None where nothing is."""
    messages = {"messages": [{"role": "user", "content": say}]}
    before = {"model": "m", **({"input": say} if path in {RESPONSES, EMBEDDINGS} else messages), **members}
    body = json.dumps(before).encode()
    dialect = find(path)
    assert dialect is not None
    change = Change(model="m", think=think, reasoning=Reasoning(style), override=override)
    edits, names = edit(dialect, body, dialect.read(body), change)
    after = json.loads(apply(body, edits))
    assert names == ((f"reasoning={'on' if think else 'off'}",) if edits else ())
    return {name: value for name, value in after.items() if before.get(name, ...) != value} or None


@pytest.mark.parametrize("path", [CHAT, RESPONSES, ANTHROPIC])
@pytest.mark.parametrize(
    ("style", "name", "on", "off"),
    [
        (S.ENABLE_THINKING, "enable_thinking", True, False),
        (S.THINKING, "thinking", True, False),
        (S.TEMPLATE_EFFORT, "reasoning_effort", "medium", "low"),
    ],
)
def test_templates(path: str, style: S, name: str, on: Any, off: Any) -> None:
    for think, value in ((True, on), (False, off)):
        assert told(path, style, think=think) == {"chat_template_kwargs": {name: value}}
        assert told(path, style, think=think, chat_template_kwargs=None) == {"chat_template_kwargs": {name: value}}
        merged = {"chat_template_kwargs": {"x": 1, name: value}}
        assert told(path, style, think=think, chat_template_kwargs={"x": 1}) == merged
        assert told(path, style, think=think, chat_template_kwargs={"x": 1, name: None}) == merged
        wrongs: list[Any] = [[], "x", 7, True]
        for wrong in wrongs:
            assert told(path, style, think=think, chat_template_kwargs=wrong) is None


def test_efforts() -> None:
    assert told(CHAT, S.REASONING_EFFORT, think=True) == {"reasoning_effort": "medium"}
    assert told(CHAT, S.REASONING_EFFORT, think=False, reasoning_effort=None) == {"reasoning_effort": "low"}
    assert told(RESPONSES, S.REASONING_EFFORT, think=True) == {"reasoning": {"effort": "medium"}}
    merged = {"reasoning": {"effort": "low", "summary": "auto"}}
    assert told(RESPONSES, S.REASONING_EFFORT, think=False, reasoning={"summary": "auto"}) == merged
    assert told(RESPONSES, S.REASONING_EFFORT, think=False, reasoning="high") is None


@pytest.mark.parametrize(
    ("path", "style"),
    [
        *[(path, style) for path in (COMPLETIONS, EMBEDDINGS) for style in S],
        (ANTHROPIC, S.REASONING_EFFORT),
        (CHAT, S.ANTHROPIC),
        (RESPONSES, S.ANTHROPIC),
    ],
)
def test_what_cannot_be_said_is_not_said(path: str, style: S) -> None:
    for think in (True, False):
        assert told(path, style, think=think) is None


@pytest.mark.parametrize(
    "members",
    [
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"chat_template_kwargs": {"thinking": False}},
        {"chat_template_kwargs": {"reasoning_effort": "high"}},
        {"reasoning_effort": "high"},
        {"reasoning": {"effort": "high"}},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"enable_thinking": True},
        {"output_config": {"effort": "high"}},
        {"say": "Is it so? /no_think"},
        {"say": "/think hard"},
        {"say": "now /nothink."},
    ],
)
def test_what_the_client_said_stands(members: dict[str, Any]) -> None:
    for path in (CHAT, RESPONSES, ANTHROPIC):
        assert told(path, S.ENABLE_THINKING, think=False, **members) is None
        assert told(path, S.ENABLE_THINKING, think=False, override=True, **members) is not None


@pytest.mark.parametrize("say", ["/thinking", "a/think", "see /think/tank", "../think", "think", "no_think", "//think"])
def test_what_is_no_switch(say: str) -> None:
    assert told(CHAT, S.ENABLE_THINKING, think=False, say=say) is not None


def test_the_switch_of_an_earlier_turn_is_over() -> None:
    earlier = [{"role": "user", "content": "/think"}, {"role": "assistant", "content": "/think"}]
    last = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "/no_think"}]
    assert told(CHAT, S.ENABLE_THINKING, think=False, messages=[*earlier, *last]) is not None


def test_overriding_writes_what_differs_alone() -> None:
    kwargs = {"enable_thinking": True, "x": 1}
    assert told(CHAT, S.ENABLE_THINKING, think=True, override=True, chat_template_kwargs=kwargs) is None
    assert told(CHAT, S.ENABLE_THINKING, think=False, override=True, chat_template_kwargs=kwargs) == {
        "chat_template_kwargs": {"enable_thinking": False, "x": 1}
    }
    assert told(CHAT, S.REASONING_EFFORT, think=True, override=True, reasoning_effort="medium") is None
    assert told(CHAT, S.REASONING_EFFORT, think=True, override=True, reasoning_effort="low") == {
        "reasoning_effort": "medium"
    }


def test_a_model_that_cannot_be_told_is_not_told() -> None:
    dialect = find(CHAT)
    assert dialect is not None
    body = b'{"model":"m","messages":[]}'
    assert edit(dialect, body, dialect.read(body), Change(model="m", think=True)) == ((), ())
