"""What upstream and clients get, once the policy has spoken; the dialects' own edits are tested in their room."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from msgspec.structs import replace

from extproc_router.candidates import Reasoning, ReasoningStyle
from extproc_router.errors import NoCapableModel
from extproc_router.policy.rules import Action, Edits, Think
from extproc_router.router import compose
from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Answer, Decision, Mutation, Reason, Reply

MAIL = "Write to jane@example.com and bob@example.com, then to JANE@example.com."
REDACTED = "Write to <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>, then to <EMAIL_ADDRESS_1>."


def sent(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.action, Mutation)
    document: dict[str, Any] = json.loads(answer.action.body or b"{}")
    return document


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    assert isinstance(answer.action, Reply)
    return answer.action.status, dict(answer.action.headers), answer.action.body


class TestSend:
    def test_nothing_to_change_changes_nothing(self, desk: Any) -> None:
        answer = desk.answer(desk.post(desk.chat("small-8b")))
        assert isinstance(answer.action, Mutation)
        assert answer.action.body is None
        assert answer.decision.changes == ()

    def test_the_edits_of_a_rule_and_the_model_meet_in_one_body(self, desk: Any) -> None:
        edits = Edits(think=Think.ON, max_tokens=50, system_prefix="Be brief.", include_usage=True)
        thinker = replace(desk.LARGE, reasoning=Reasoning(ReasoningStyle.ENABLE_THINKING))
        it = desk.router([desk.route("all", [thinker], edits=edits)], candidates=(desk.SMALL, thinker))
        body = desk.chat("auto", stream=True, seed=7)
        answer = desk.answer(desk.post(body), it)
        assert sent(answer) == {
            "model": "org/large",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 + 2?"}],
            "stream": True,
            "seed": 7,
            "max_completion_tokens": 50,
            "stream_options": {"include_usage": True},
            "chat_template_kwargs": {"enable_thinking": True},
        }
        assert set(answer.decision.changes) == {
            "model",
            "max_tokens<=50",
            "system_prefix",
            "include_usage",
            "reasoning=on",
        }

    def test_a_named_model_has_no_rules_edits(self, desk: Any) -> None:
        it = desk.router([desk.route("all", [desk.LARGE], edits=Edits(max_tokens=5))])
        assert desk.answer(desk.post(desk.chat("small-8b")), it).decision.changes == ()

    @pytest.mark.parametrize("model", ["auto", "large-70b", "small-8b"])
    def test_personal_data_go_whoever_chose_the_model(self, desk: Any, model: str) -> None:
        it = desk.router(safeguards=[desk.guard(Action.REDACT, desk.when("pii", guards=True))])
        answer = desk.decide(it, desk.post(desk.chat(model, MAIL)))
        assert sent(answer)["messages"][0]["content"] == REDACTED
        assert answer.decision.changes[-1] == "redact: 3 redacted"
        assert answer.decision.safety == ("redact=redact",)
        assert "jane" not in repr(answer.decision)

    def test_edits_and_redaction_compose(self, desk: Any) -> None:
        """Both touch one string; the operator's words are not searched."""
        edits = Edits(system_prefix="Ask help@example.com.", max_tokens=9)
        redacts = desk.guard(Action.REDACT, desk.when("pii", guards=True))
        it = desk.router([desk.route("all", [desk.LARGE], edits=edits)], [redacts])
        turns = [{"role": "system", "content": "jane@example.com runs this."}, {"role": "user", "content": MAIL}]
        body = json.dumps({"messages": turns, "x": 1.0}, indent=1).encode().replace(b"1.0", b"1.00")
        answer = desk.decide(it, desk.post(body))
        system, user = sent(answer)["messages"]
        assert system["content"] == "Ask help@example.com.\n\n<EMAIL_ADDRESS_1> runs this."
        assert user["content"] == REDACTED
        assert (sent(answer)["model"], sent(answer)["max_completion_tokens"]) == ("org/large", 9)
        assert isinstance(answer.action, Mutation)
        assert b'"x": 1.00' in (answer.action.body or b"")

    def test_what_the_encoder_found_goes_too(self, desk: Any) -> None:
        it = desk.router(safeguards=[desk.guard(Action.REDACT, desk.when("pii", guards=True))])
        answer = desk.decide(
            it, desk.post(desk.chat("small-8b", "Jane Roe and Jane Roe")), desk.Reads(names=["Jane Roe"])
        )
        assert sent(answer)["messages"][0]["content"] == "<PERSON_1> and <PERSON_1>"

    def test_of_the_types_that_the_rule_names(self, desk: Any) -> None:
        redacts = desk.guard(Action.REDACT, desk.when("pii", guards=True), types=frozenset({"PERSON"}))
        it = desk.router(safeguards=[redacts])
        answer = desk.decide(it, desk.post(desk.chat("small-8b", f"Jane Roe. {MAIL}")), desk.Reads(names=["Jane Roe"]))
        assert sent(answer)["messages"][0]["content"] == f"<PERSON_1>. {MAIL}"

    def test_a_rule_that_says_nothing_of_personal_data_finds_them_all_the_same(self, desk: Any) -> None:
        it = desk.router(
            safeguards=[desk.guard(Action.REDACT, desk.when("tenant"))], readers={"tenant": desk.Stub("tenant")}
        )
        http = desk.post(desk.chat("small-8b", MAIL))
        assert [ask.heads for ask in desk.plan(http, it).asks] == [{"pii"}]
        assert sent(desk.decide(it, http))["messages"][0]["content"] == REDACTED

    def test_without_what_finds_them_nothing_goes_on(self, desk: Any) -> None:
        it = desk.router(safeguards=[desk.guard(Action.REDACT)])
        unread = it.decide(desk.plan(desk.post(desk.chat("small-8b", MAIL)), it), NO_ANSWERS)
        assert unread.decision.reason is Reason.UNCHECKED
        assert "pii is absent" in unread.decision.why

    def test_what_was_compressed_is_redacted_and_goes_on_plain(self, desk: Any) -> None:
        it = desk.router(safeguards=[desk.guard(Action.REDACT)])
        body = gzip.compress(desk.chat("small-8b", MAIL))
        answer = desk.decide(it, desk.post(body, content_encoding="gzip"))
        assert sent(answer)["messages"][0]["content"] == REDACTED
        assert isinstance(answer.action, Mutation)
        assert answer.action.remove_headers == ("content-encoding",)


BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": MAIL}]},
    "/v1/completions": {"prompt": MAIL},
    "/v1/responses": {"input": MAIL},
    "/v1/embeddings": {"input": MAIL},
    "/v1/messages": {"messages": [{"role": "user", "content": MAIL}], "max_tokens": 9},
}


@pytest.mark.parametrize("path", BODIES)
class TestEveryApi:
    def test_it_redacts(self, desk: Any, path: str) -> None:
        it = desk.router(safeguards=[desk.guard(Action.REDACT)])
        answer = desk.decide(it, desk.post(json.dumps({"model": "small-8b", **BODIES[path]}).encode(), path))
        assert json.dumps(REDACTED) in json.dumps(sent(answer))
        assert "example.com" not in json.dumps(sent(answer))

    @pytest.mark.parametrize("stream", [False, True])
    def test_it_declines_or_blocks(self, desk: Any, path: str, stream: bool) -> None:
        it = desk.router(safeguards=[desk.guard(Action.REFUSE, message="I would rather not.")])
        body = json.dumps({"model": "auto", "stream": stream, **BODIES[path]}).encode()
        answer = desk.answer(desk.post(body, path), it)
        status, headers, reply = told(answer)
        assert b"I would rather not." in reply
        assert answer.decision.status == status
        if path == "/v1/embeddings":
            assert (status, answer.decision.reason) == (403, Reason.BLOCKED)
            return
        assert (status, answer.decision.reason, answer.decision.model) == (200, Reason.DECLINED, "")
        assert headers["content-type"].startswith("text/event-stream" if stream else "application/json")
        assert answer.decision.safety == ("refuse=refuse",)

    def test_it_blocks(self, desk: Any, path: str) -> None:
        it = desk.router(safeguards=[desk.guard(Action.BLOCK, message="Not here.")])
        answer = desk.answer(desk.post(json.dumps({"model": "auto", **BODIES[path]}).encode(), path), it)
        status, _, reply = told(answer)
        assert (status, answer.decision.status, answer.decision.reason) == (403, 403, Reason.BLOCKED)
        assert json.loads(reply)["error"]["message"] == "Not here."


class TestStop:
    def test_it_says_which_rule_and_why(self, desk: Any) -> None:
        rules = [desk.guard(Action.BLOCK, desk.when("domain", "math", guards=True), name="no maths")]
        it = desk.router(safeguards=[*rules, desk.guard(Action.FLAG, shadow=True)])
        decision = desk.decide(it, desk.post(desk.chat())).decision
        assert decision.why == "no maths: domain is math (0.90)"
        assert [evidence.name for evidence in decision.signals] == ["domain"]

    def test_what_was_not_checked_may_be_tried_again(self, desk: Any) -> None:
        it = desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("domain", "math", guards=True))])
        answer = it.decide(desk.plan(desk.post(desk.chat()), it), NO_ANSWERS)
        status, headers, reply = told(answer)
        assert (status, headers["retry-after"]) == (503, "1")
        assert json.loads(reply)["error"]["code"] == "safety_check_unavailable"
        assert answer.decision.why == "block: domain is absent (failed)"


def test_a_refusal_tells_the_client_more_than_the_log(desk: Any) -> None:
    error = NoCapableModel("secret prompt")
    reply = Reply(400, (), b"secret prompt")
    blank: Decision = desk.answer(desk.post(None)).decision
    answer = compose.refuse(blank, error, reply)
    assert answer.action is reply
    assert (answer.decision.reason, answer.decision.why) == (Reason.REFUSED, "no_capable_model")
    assert answer.decision.status == 400
