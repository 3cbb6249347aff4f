from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation import failing
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.lab.simulation.answer import Answer
    from extproc_router.lab.simulation.asked import Asked


def told(answer: Answer | None) -> dict[str, Any]:
    assert answer is not None
    error: dict[str, Any] = json.loads(answer.body)["error"]
    return error


@pytest.mark.parametrize(
    ("status", "vllm", "anthropic"),
    [
        (400, "BadRequestError", "invalid_request_error"),
        (429, "Too Many Requests", "rate_limit_error"),
        (503, "Service Unavailable", "api_error"),
        (529, "Overloaded", "overloaded_error"),
    ],
)
def test_errors_have_the_apis_shape(status: int, vllm: str, anthropic: str) -> None:
    behaviour = Behaviour(status=status)
    openai = told(failing.wanted(behaviour, anthropic=False))
    assert set(openai) == {"message", "type", "param", "code"}
    assert (openai["type"], openai["code"]) == (vllm, status)
    assert told(failing.wanted(behaviour, anthropic=True))["type"] == anthropic


def test_no_status_is_no_error() -> None:
    assert failing.wanted(Behaviour(), anthropic=False) is None


def test_the_context_limit_counts_prompt_and_answer(ask: Callable[..., Asked]) -> None:
    asked = ask("completions", prompt="x" * 400, max_tokens=50)
    needed = asked.prompt_tokens + 50
    assert failing.refused(asked, Behaviour(max_model_len=needed), ()) is None
    refused = failing.refused(asked, Behaviour(max_model_len=needed - 1), ())
    error = told(refused)
    assert refused is not None
    assert refused.status == 400
    assert error["message"].startswith(
        f"This model's maximum context length is {needed - 1} tokens. However, you requested 50 output tokens and your "
        f"prompt contains at least {asked.prompt_tokens} input tokens, for a total of at least {needed} tokens."
    )
    assert (error["type"], error["param"], error["code"]) == ("BadRequestError", "input_tokens", 400)


def test_the_context_limit_of_other_apis(ask: Callable[..., Asked]) -> None:
    small = Behaviour(max_model_len=10)
    messages = told(failing.refused(ask("anthropic_messages", system="x" * 400), small, ()))
    assert messages["message"].startswith("prompt is too long: ")
    assert messages["type"] == "invalid_request_error"
    assert "0 output tokens" in told(failing.refused(ask("embeddings", input="x" * 400), small, ()))["message"]


def test_an_unknown_model_is_not_found_where_that_is_asked_for(ask: Callable[..., Asked]) -> None:
    assert failing.refused(ask(), Behaviour(), ("other",)) is None
    assert failing.refused(ask(), Behaviour(strict_models=True), ("m",)) is None
    refused = failing.refused(ask(), Behaviour(strict_models=True), ("other",))
    assert told(refused) == {
        "message": "The model `m` does not exist.",
        "type": "NotFoundError",
        "param": "model",
        "code": 404,
    }


def test_too_large() -> None:
    assert failing.too_large().status == 413
