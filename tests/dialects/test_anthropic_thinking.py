from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.candidates import Change, Reasoning, ReasoningStyle
from extproc_router.dialects import apply, edit, find

CLAUDE = Reasoning(ReasoningStyle.ANTHROPIC, budget_tokens=4096)
DISABLED = {"type": "disabled"}


def enabled(budget: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": budget}


def changed(change: Change, **members: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    before = {"model": "m", "max_tokens": 20_000, "messages": [{"role": "user", "content": "Hi"}], **members}
    body = json.dumps({name: value for name, value in before.items() if value is not ...}).encode()
    dialect = find("/v1/messages")
    assert dialect is not None
    edits, names = edit(dialect, body, dialect.read(body), change)
    after: dict[str, Any] = json.loads(apply(body, edits))
    return after, names


def thinking(*, think: bool = True, override: bool = False, limit: int | None = None, **members: Any) -> Any:
    change = Change(model="m", think=think, reasoning=CLAUDE, override=override, max_tokens=limit)
    return changed(change, **members)[0].get("thinking")


def test_on_and_off() -> None:
    assert thinking() == enabled(4096)
    assert thinking(thinking=None) == enabled(4096)
    assert thinking(think=False) == DISABLED


@pytest.mark.parametrize(
    ("max_tokens", "limit", "wanted"),
    [
        (8192, None, enabled(4096)),
        (8191, None, enabled(4095)),
        (2048, None, enabled(1024)),
        (2047, None, None),
        (20_000, 5000, enabled(2500)),
        (3000, 5000, enabled(1500)),
        (20_000, 2000, None),
        (..., None, None),
        ("9000", None, None),
    ],
)
def test_the_budget_leaves_room_for_an_answer(max_tokens: Any, limit: int | None, wanted: Any) -> None:
    assert thinking(max_tokens=max_tokens, limit=limit) == wanted


@pytest.mark.parametrize(
    ("members", "may"),
    [
        ({"temperature": 1}, True),
        ({"temperature": 1.0, "top_p": 0.95, "top_k": None}, True),
        ({"temperature": None, "top_p": None}, True),
        ({"temperature": 0.7}, False),
        ({"temperature": "1"}, False),
        ({"top_p": 0.9}, False),
        ({"top_k": 40}, False),
        ({"tool_choice": {"type": "auto"}}, True),
        ({"tool_choice": {"type": "none"}}, True),
        ({"tool_choice": {"type": "any"}}, False),
        ({"tool_choice": {"type": "tool", "name": "f"}}, False),
    ],
)
def test_what_goes_with_thinking(members: dict[str, Any], may: bool) -> None:
    assert thinking(**members) == (enabled(4096) if may else None)
    assert thinking(think=False, **members) == DISABLED


ASK = {"role": "user", "content": "Hi"}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "1"}]}
THOUGHT = {"type": "thinking", "thinking": "...", "signature": "s"}
USE = {"type": "tool_use", "id": "t", "name": "f", "input": {}}


def model(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


@pytest.mark.parametrize(
    ("messages", "may"),
    [
        ([ASK, model(USE), RESULT], False),
        ([ASK, model(THOUGHT, USE), RESULT], True),
        ([ASK, model({"type": "redacted_thinking", "data": "x"}, USE), RESULT], True),
        ([ASK, model(THOUGHT, USE), RESULT, model(USE), RESULT], True),
        ([ASK, model(USE), RESULT, model(THOUGHT, USE), RESULT], False),
        ([ASK, model(USE), RESULT, model({"type": "text", "text": "1"}), ASK], True),
        ([ASK, {"role": "assistant", "content": "x"}, RESULT], False),
        ([ASK, model(), RESULT], False),
        ([RESULT], False),
        ([ASK, {"role": "assistant", "content": "The answer is"}], False),
        ([], True),
    ],
)
def test_turns_that_go_on_with_tool_results(messages: list[Any], may: bool) -> None:
    assert thinking(messages=messages) == (enabled(4096) if may else None)


def test_overriding() -> None:
    assert thinking(thinking=DISABLED) == DISABLED
    assert thinking(thinking=DISABLED, override=True) == enabled(4096)
    assert thinking(think=False, thinking=enabled(2000), override=True) == DISABLED
    for on in (enabled(2000), {"type": "adaptive"}):
        assert thinking(thinking=on, override=True) == on
    assert thinking(think=False, thinking="x", override=True) == "x"


@pytest.mark.parametrize(
    ("limit", "budget", "max_tokens", "after", "names"),
    [
        (5000, 3000, 20_000, (5000, 3000), ["max_tokens<=5000"]),
        (5000, 5000, 20_000, (5000, 2500), ["max_tokens<=5000", "budget_tokens<=2500"]),
        (1500, 5000, 20_000, (1500, 1024), ["max_tokens<=1500", "budget_tokens<=1024"]),
        (512, 5000, 20_000, (1025, 1024), ["max_tokens<=1025", "budget_tokens<=1024"]),
        (512, 1024, 1025, (1025, 1024), []),
        (5000, 3000, 4000, (4000, 3000), []),
    ],
)
def test_a_bound_goes_before_the_clients_budget(
    limit: int, budget: int, max_tokens: int, after: tuple[int, int], names: list[str]
) -> None:
    body, told = changed(Change(model="m", max_tokens=limit), thinking=enabled(budget), max_tokens=max_tokens)
    assert (body["max_tokens"], body["thinking"]["budget_tokens"]) == after
    assert list(told) == names


@pytest.mark.parametrize("config", [DISABLED, {"type": "adaptive"}, {"type": "enabled"}, {"budget_tokens": 9}, [], "x"])
def test_a_bound_where_there_is_no_budget(config: Any) -> None:
    body, told = changed(Change(model="m", max_tokens=512), thinking=config)
    assert (body["max_tokens"], body["thinking"]) == (512, config)
    assert told == ("max_tokens<=512",)


@given(
    budget=st.one_of(st.none(), st.integers(1024, 9000)),
    room=st.integers(1, 9000),
    limit=st.one_of(st.none(), st.integers(1, 9000)),
    think=st.sampled_from([None, True, False]),
    override=st.booleans(),
)
def test_what_was_valid_stays_valid(
    budget: int | None, room: int, limit: int | None, think: bool | None, override: bool
) -> None:
    members = {"thinking": enabled(budget)} if budget else {}
    change = Change(model="m", think=think, reasoning=CLAUDE, override=override, max_tokens=limit)
    body, _ = changed(change, max_tokens=(budget or 0) + room, **members)
    config = body.get("thinking", DISABLED)
    assert config == DISABLED or 1024 <= config["budget_tokens"] < body["max_tokens"]
    assert body["max_tokens"] <= max((budget or 0) + room if limit is None else limit, 1025 if budget else 0)
