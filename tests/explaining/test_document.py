from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.explaining import document, logged, telling
from extproc_router.types import Decision, HttpRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router

    Post = Callable[..., HttpRequest]
    Describe = Callable[[HttpRequest], dict[str, Any]]


@pytest.fixture
def describe(router: Router, scripted_encoder: Any) -> Describe:
    def tell(http: HttpRequest) -> dict[str, Any]:
        plain = document.describe(telling.explain(router, scripted_encoder, http))
        again: dict[str, Any] = json.loads(json.dumps(plain, allow_nan=False))
        return again

    return tell


def test_it_has_every_member_of_the_record(describe: Describe, post: Post) -> None:
    told = describe(post("some hard math"))
    assert set(Decision.__struct_fields__) <= set(told)
    assert (told["model"], told["rule"], told["chain"]) == ("large", "maths", ["large", "small"])


def test_signals_rules_and_models(describe: Describe, post: Post) -> None:
    told = describe(post("some hard math"))
    signals = {line["name"]: line for line in told["signals"]}
    assert (signals["domain"]["state"], signals["domain"]["labels"]) == ("read", ["math"])
    assert signals["language"] == {"name": "language", "state": "unused", "ms": None}
    assert told["rules"][2] == {"rule": "maths", "outcome": "matched", "why": "domain is math (0.90)"}
    assert told["models"][0]["place"] == 1
    assert "domain" in told["encoder"][0]["heads"]


def test_the_body_before_and_after(describe: Describe, post: Post) -> None:
    told = describe(post("some math"))
    assert (told["body"]["before"]["model"], told["body"]["after"]["model"]) == ("auto", "small")
    assert told["set_headers"]["x-selected-cluster"] == "s"


def test_the_attempts_that_envoy_may_make(describe: Describe, post: Post) -> None:
    large, small = {"cluster": "l", "model": "large"}, {"cluster": "s", "model": "small"}
    assert describe(post("some hard math"))["attempts"] == [large, small]
    assert describe(post("hello"))["attempts"] == []


def test_what_goes_on_as_it_is_has_no_body(describe: Describe) -> None:
    told = describe(HttpRequest("POST", "/elsewhere", {}, b"x"))
    assert (told["body"], told["rules"], told["remove_headers"]) == (None, [], [])


def test_a_reply_is_json_where_it_is_and_text_where_not(describe: Describe, post: Post) -> None:
    assert describe(post("an attack"))["reply"]["body"]["error"]["code"] == "blocked_by_policy"
    assert describe(post("damn", stream=True))["reply"]["body"].startswith("data: ")


def test_an_encoder_that_failed_answered_nothing(describe: Describe, post: Post) -> None:
    assert describe(post("broken"))["encoder"][0]["heads"] == {}


def test_a_logged_decision_has_neither_body_nor_reply(router: Router, scripted_encoder: Any, post: Post) -> None:
    decision = telling.explain(router, scripted_encoder, post("some math")).decision
    told = document.describe(logged.retell(router.terms, decision))
    assert not {"set_headers", "body", "reply"} & set(told)
    assert told["total_ms"] is None
