from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.cases.checking import check, differences
from extproc_router.cases.schema import Expect
from extproc_router.types import Answer, Decision, Mutation, Reason, Reply

DECISION = Decision(
    id="i",
    request_id="",
    config_version="c",
    encoder_version="e",
    api="chat_completions",
    requested_model="auto",
    model="large",
    cluster="l",
    reason=Reason.RULE,
    why="maths: domain is math (0.90); so large",
    privacy_tier="public",
    stream=False,
    signals=(),
    status=0,
    rule="maths",
    chain=("large", "small"),
    safety=("cards=redact", "a=b=flag"),
    shadow=("shady=free",),
)
BODY = {"model": "large", "n": 1, "messages": [{"role": "user", "content": "hi"}], "stream": True}


def checked(answer: Answer | None = None, sent: bytes = b"", **expect: Any) -> tuple[str, ...]:
    went_on = Answer(DECISION, Mutation(body=json.dumps(BODY).encode()))
    return check(Expect.model_validate(expect), answer or went_on, sent)


@pytest.mark.parametrize(
    "expect",
    [
        {"model": "large", "rule": "maths", "action": "route", "reason": "rule", "tier": "public", "sticky": "none"},
        {"chain": ["large", "small"], "why_contains": "domain is math"},
        {"safety": ["a=b", "cards=redact"], "shadow": ["shady"]},
        {"safety": ["cards", "a=b=flag"]},
        {"body": {"model": "large", "messages": [{"role": "user"}]}},
        {"body": {"temperature": None, "stream": True}},
    ],
)
def test_what_is_as_expected_says_nothing(expect: dict[str, Any]) -> None:
    assert checked(**expect) == ()


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"model": "small"}, "model: expected small, got large"),
        ({"rule": ""}, "rule: expected -, got maths"),
        ({"action": "block"}, "action: expected block, got route"),
        ({"status": 403}, "status: expected 403, got 0"),
        ({"reason": "shed"}, "reason: expected shed, got rule"),
        ({"tier": "restricted"}, "tier: expected restricted, got public"),
        ({"sticky": "held"}, "sticky: expected held, got none"),
        ({"chain": ["small", "large"]}, "chain: expected small, large, got large, small"),
        ({"safety": ["cards"]}, "safety: expected cards, got cards=redact, a=b=flag"),
        ({"safety": ["cards", "cards"]}, "safety: expected cards, cards, got cards=redact, a=b=flag"),
        ({"shadow": []}, "shadow: expected -, got shady=free"),
        ({"why_contains": "law"}, "why: expected ... law ..., got maths: domain is math (0.90); so large"),
        ({"body": {"model": "x"}}, 'body.model: expected "x", got "large"'),
        ({"body": {"n": True}}, "body.n: expected true, got 1"),
        ({"body": {"temperature": 1}}, "body.temperature: expected 1, got nothing"),
        ({"body": {"messages": [{"role": "system"}]}}, 'body.messages.0.role: expected "system", got "user"'),
        ({"body": {"messages": []}}, 'body.messages: expected [], got [{"role": "user", "content": "hi"}]'),
    ],
)
def test_what_is_not_is_a_line(expect: dict[str, Any], said: str) -> None:
    assert checked(**expect) == (said,)


def test_the_sent_body_counts_where_no_byte_changed() -> None:
    answer = Answer(DECISION, Mutation())
    assert checked(answer, b'{"model": "large"}', body={"model": "large"}) == ()
    assert checked(answer, b"nope", body={"model": "large"}) == ("body: expected JSON, got 4 bytes that are none",)


def test_a_reply_is_the_body_where_the_router_answers() -> None:
    answer = Answer(DECISION, Reply(403, (), b'{"error": {"code": "blocked_by_policy"}}'))
    assert checked(answer, body={"error": {"code": "blocked_by_policy"}}) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=2), JSON, max_size=4))
def test_any_body_is_as_expected_of_itself(body: dict[str, Any]) -> None:
    answer = Answer(DECISION, Mutation(body=json.dumps(body).encode()))
    assert differences(Expect.model_validate({"body": body}), answer) == ()
