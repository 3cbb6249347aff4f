from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation.anthropic import message, message_events
from extproc_router.lab.simulation.saying import Finish, Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.lab.simulation.asked import Asked


def heard(asked: Asked, said: Said) -> list[dict[str, Any]]:
    return [json.loads(event.data.partition(b"data: ")[2]) for event in message_events(asked, said)]


def test_text(ask: Callable[..., Asked]) -> None:
    asked, said = ask("anthropic_messages"), Said(("a ", "b"))
    whole, events = message(asked, said), heard(asked, said)

    assert whole["content"] == [{"type": "text", "text": "a b"}]
    assert whole["usage"] == {"input_tokens": asked.prompt_tokens, "output_tokens": 2}
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert "".join(event["delta"]["text"] for event in events[2:4]) == "a b"
    assert events[-2]["usage"] == {"output_tokens": 2}
    assert events[0]["message"]["usage"]["input_tokens"] == asked.prompt_tokens


@pytest.mark.parametrize(("finish", "reason"), [("stop", "end_turn"), ("length", "max_tokens"), ("refusal", "refusal")])
def test_reasons(ask: Callable[..., Asked], finish: Finish, reason: str) -> None:
    asked, said = ask("anthropic_messages"), Said(("a",), finish=finish)
    assert message(asked, said)["stop_reason"] == reason
    assert heard(asked, said)[-2]["delta"]["stop_reason"] == reason


@pytest.mark.parametrize(
    ("arguments", "read"), [('{"a": 1}', {"a": 1}), ('{"a', {"INVALID_JSON": '{"a'}), ("[1]", {"INVALID_JSON": "[1]"})]
)
def test_tool_calls(ask: Callable[..., Asked], arguments: str, read: dict[str, Any]) -> None:
    asked, said = ask("anthropic_messages"), Said(tuple(arguments), finish="tool_calls", tool="f")
    [block] = message(asked, said)["content"]
    events = heard(asked, said)

    assert (block["type"], block["name"], block["input"]) == ("tool_use", "f", read)
    assert events[1]["content_block"]["input"] == {}
    assert "".join(event["delta"]["partial_json"] for event in events[2:-3]) == arguments
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
