from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from extproc_router.explaining import logged, page, telling
from extproc_router.explaining.columns import WIDTH
from extproc_router.types import HttpRequest, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router

    Post = Callable[..., HttpRequest]
    Write = Callable[[HttpRequest], str]


@pytest.fixture
def write(router: Router, scripted_encoder: Any) -> Write:
    return lambda http: page.write(telling.explain(router, scripted_encoder, http))


def words(text: str) -> str:
    """With one blank wherever there are any."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_every_reason_has_its_sentence() -> None:
    assert set(page._SAID) == set(Reason)


def test_a_decision_is_told_from_signals_to_body(write: Write, post: Post) -> None:
    said = words(write(post("some hard math", {"x-plan": "basic"})))
    for line in (
        "Decision large on cluster l",
        "Rule maths",
        "Conversation it has no model yet",
        "domain math 0.90",
        "maths matched domain is math (0.90)",
        "gold not reached",
        "1 large l chosen",
        "2 small s fallback",
        "x-selected-cluster: l",
        '- "model": "auto",',
        '+ "model": "large",',
    ):
        assert line in said or any(row.startswith(line) for row in said.splitlines()), line
    assert "ms + encoder" in said


def test_what_was_not_needed_is_said(write: Write, post: Post) -> None:
    said = words(write(post("damn")))
    assert "tenant not needed" in said
    assert "no rule asks for: context, language" in said.replace("length, ", "")


def test_an_answer_in_a_models_place_is_shown(write: Write, post: Post) -> None:
    said = words(write(post("an attack")))
    assert "Decision HTTP 403 from the router itself" in said
    assert "Answer to the client, in place of a model's" in said
    assert '"code": "blocked_by_policy"' in said
    assert "Models" not in said


def test_an_error_tells_what_the_client_is_told(write: Write, post: Post) -> None:
    assert "Why The model 'gpt-9' does not exist." in words(write(post("hi", model="gpt-9")))


def test_a_streamed_refusal_is_shown_line_by_line(write: Write, post: Post) -> None:
    assert "data: [DONE]" in write(post("damn", stream=True))


def test_personal_data_that_were_replaced_are_seen(write: Write, post: Post) -> None:
    said = write(post(f"{'many words ' * 40}my card is 4111 1111 1111 1111"))
    assert "<CREDIT_CARD_1>" in said
    assert "cards: 1 redacted" in said


def test_a_request_that_goes_on_as_it_is_says_so(write: Write) -> None:
    said = words(write(HttpRequest("POST", "/elsewhere", {}, b"x")))
    assert "Decision goes on as it is" in said
    assert "Change of the body" not in said


def test_a_logged_decision_says_what_it_cannot(router: Router, scripted_encoder: Any, post: Post) -> None:
    decision = telling.explain(router, scripted_encoder, post("some math", {"x-tenant": "globex"})).decision
    said = words(page.write(logged.retell(router.terms, decision)))
    assert "acme unknown the log keeps no value of tenant" in said
    assert "Change of the body, by name\nmodel, max_tokens<=100" in said.replace("reasoning=off, ", "")
    held = page.write(logged.retell(router.terms, replace(decision, sticky="held")))
    assert "held the model that it had" in held


def test_a_failing_encoder_is_said(write: Write, post: Post) -> None:
    said = write(post("broken"))
    assert "could not be read: failed" in said
    assert "text 1: failed after" in said


@pytest.mark.parametrize(
    "prompt", ["x" * 5000, "word " * 2000, "\x1b[31m red", "\N{SNOWMAN}" * 300, "damn " * 500, "an attack " * 300]
)
def test_lines_fit_a_terminal_and_hold_no_commands(write: Write, post: Post, prompt: str) -> None:
    for line in write(post(prompt, {"x-tenant": "acme" * 100})).splitlines():
        assert len(line) <= WIDTH
        assert line.isprintable()


def test_plain_prompts_are_told_in_ascii(write: Write, post: Post) -> None:
    assert write(post("some math")).isascii()
