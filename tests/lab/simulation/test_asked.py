from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.lab.simulation.asked import APIS, Asked, read

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.sampled_from(
    [
        "model",
        "messages",
        "input",
        "prompt",
        "tools",
        "max_tokens",
        "logprobs",
        "top_logprobs",
        "include",
        "stream",
        "stream_options",
        "text",
        "response_format",
        "output_config",
    ]
)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_not_read(body: bytes) -> None:
    assert read("small", "/v1/messages", body) is None


@given(st.sampled_from(sorted(APIS)), st.dictionaries(MEMBERS, JSON))
def test_no_body_breaks_it(path: str, body: dict[str, Any]) -> None:
    asked = read("small", path, json.dumps(body).encode())
    assert asked is not None
    for name in ("prompt", "difficulty", "schema", "tool", "max_tokens", "top_logprobs", "stream", "stream_usage"):
        getattr(asked, name)


def test_log_probabilities_are_asked_for_in_three_ways(ask: Callable[..., Asked]) -> None:
    include = {"include": ["message.output_text.logprobs"]}
    assert ask(logprobs=True).top_logprobs == 0
    assert ask(logprobs=True, top_logprobs=1000).top_logprobs == 20
    assert ask("completions", logprobs=3).top_logprobs == 3
    assert ask("completions", logprobs=0).top_logprobs == 0
    assert ask("responses", **include, top_logprobs=2).top_logprobs == 2
    assert [ask(api).top_logprobs for api in APIS.values()] == [None] * len(APIS)
    assert ask("anthropic_messages", logprobs=True).top_logprobs is None
    assert ask(logprobs=1).top_logprobs is None


def test_the_prompt_is_what_the_user_said_last(ask: Callable[..., Asked]) -> None:
    turns = [
        {"role": "user", "content": "first"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
    ]
    for api in ("chat_completions", "anthropic_messages"):
        assert ask(api, messages=turns).prompt == "a\nb"
    assert ask("responses", input=turns).prompt == "a\nb"
    assert ask("responses", input="plain").prompt == "plain"
    assert ask("completions", prompt="p").prompt == "p"


def test_the_last_mark_of_difficulty_counts(ask: Callable[..., Asked]) -> None:
    def difficulty(text: str) -> float:
        return ask("completions", prompt=text).difficulty

    assert difficulty("[difficulty=0.1] then [difficulty=0.73]") == 0.73
    assert [difficulty(f"[difficulty={value}]") for value in ("0", "1", "1.5", "-1", "x")] == [0, 1, 0.5, 0.5, 0.5]


def test_tools_and_schemas_are_found_in_each_api(ask: Callable[..., Asked]) -> None:
    schema = {"type": "object"}
    bare = {"name": "f", "parameters": schema}
    assert ask(tools=[{"type": "function", "function": bare}]).tool.name == "f"
    assert ask("responses", tools=[{"type": "function", **bare}]).tool.schema == schema
    assert ask("anthropic_messages", tools=[{"name": "g", "input_schema": schema}]).tool.schema == schema
    assert ask().tool.name == "lookup"
    assert ask(response_format={"type": "json_schema", "json_schema": {"schema": schema}}).schema == schema
    assert ask("responses", text={"format": {"type": "json_schema", "schema": schema}}).schema == schema
    assert ask("anthropic_messages", output_config={"format": {"schema": schema}}).schema == schema


def test_tokens(ask: Callable[..., Asked]) -> None:
    asked = ask("completions", prompt="x" * 400)
    assert asked.prompt_tokens == asked.size // 4 > 100
    assert [ask(**{name: 7}).max_tokens for name in ("max_tokens", "max_completion_tokens", "max_output_tokens")] == [
        7
    ] * 3
    assert ask(max_tokens="7").max_tokens is None
