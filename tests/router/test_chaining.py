from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from extproc_router.candidates import Candidate, Reasoning, ReasoningStyle
from extproc_router.policy.rules import Action, Cascade, Edits, Fallback, Think
from extproc_router.router import chaining
from extproc_router.types import Answer, Mutation

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.attempts import Attempt, Chain
    from extproc_router.router import Router

MID = Candidate("mid", "middle", "org/mid", 0.5, 0.9, 1)
THINKS = Reasoning(ReasoningStyle.ENABLE_THINKING)
PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "/v1/completions": {"prompt": "Hi"},
    "/v1/responses": {"input": "Hi"},
    "/v1/embeddings": {"input": "Hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9},
}


@pytest.fixture
def three(desk: Any) -> Callable[..., Router]:
    """A rule for all requests: small, large, mid."""

    def make(fallback: Fallback | None = None, reasoning: Reasoning | None = None, **members: Any) -> Router:
        large = replace(desk.LARGE, reasoning=reasoning)
        rule = desk.route("all", [desk.SMALL, large, MID], **members)
        it: Router = desk.router([rule], candidates=(desk.SMALL, large, MID), fallback=fallback or Fallback())
        return it

    return make


def walked(answer: Answer) -> tuple[Mutation, Chain]:
    assert isinstance(answer.action, Mutation)
    assert answer.action.chain is not None
    return answer.action, answer.action.chain


def body_of(sent: bytes, attempt: Attempt) -> dict[str, Any]:
    """What an attempt sends: the body as it was sent, spliced."""
    for start, end, text in reversed(attempt.splices):
        sent = sent[:start] + text.encode() + sent[end:]
    document: dict[str, Any] = json.loads(sent)
    return document


def bodies(answer: Answer, sent: bytes) -> list[dict[str, Any]]:
    mutation, chain = walked(answer)
    return [body_of(mutation.body or sent, attempt) for attempt in chain.attempts]


class TestFallback:
    def test_each_attempt_has_its_cluster_and_its_body(self, desk: Any, three: Any) -> None:
        body = desk.chat("auto", temperature=0.5)
        answer = desk.answer(desk.post(body), three())
        mutation, chain = walked(answer)
        assert [(attempt.cluster, attempt.model) for attempt in chain.attempts] == [
            ("small", "small-8b"), ("large", "large-70b"), ("middle", "mid"),
        ]  # fmt: skip
        assert chain.attempts[0].splices == ()
        assert [sent["model"] for sent in bodies(answer, body)] == ["small-8b", "org/large", "org/mid"]
        assert all(sent["temperature"] == 0.5 for sent in bodies(answer, body))
        assert chain.verification is None
        assert dict(mutation.set_headers) == {
            "x-selected-cluster": "small",
            "x-llm-decision": "id1",
            "x-llm-chain": "fallback",
            "x-envoy-max-retries": "2",
            "x-envoy-upstream-rq-per-try-timeout-ms": "300000",
        }
        assert (answer.decision.chain, answer.decision.cascade) == (("small-8b", "large-70b", "mid"), "")

    def test_streams_have_their_own_patience(self, desk: Any, three: Any) -> None:
        it = three(Fallback(stream_seconds=0.25, answer_seconds=7, on_context_length=True))
        for stream, patience in ((True, "250"), (False, "7000")):
            mutation, chain = walked(desk.answer(desk.post(desk.chat("auto", stream=stream)), it))
            assert dict(mutation.set_headers)["x-envoy-upstream-rq-per-try-timeout-ms"] == patience
            assert chain.on_context_length

    @pytest.mark.parametrize(("attempts", "names"), [(1, ["small-8b"]), (2, ["small-8b", "large-70b"])])
    def test_no_more_are_tried_than_may_be(self, desk: Any, three: Any, attempts: int, names: list[str]) -> None:
        answer = desk.answer(desk.post(desk.chat("auto")), three(Fallback(attempts=attempts)))
        assert list(answer.decision.chain) == names
        assert isinstance(answer.action, Mutation)
        chain = answer.action.chain
        assert (len(chain.attempts) if chain else 1) == attempts
        assert (len(answer.action.set_headers) == 2) is (attempts == 1)

    def test_a_named_model_is_tried_alone(self, desk: Any, three: Any) -> None:
        answer = desk.answer(desk.post(desk.chat("mid")), three(Fallback(("small-8b",))))
        assert isinstance(answer.action, Mutation)
        assert answer.action.chain is None
        assert answer.decision.chain == ("mid",)

    def test_a_body_that_stays_is_spliced_too(self, desk: Any) -> None:
        """The name that the client wrote means the choice, and is what the first cluster calls its model."""
        first = replace(desk.SMALL, served_name="auto")
        it = desk.router([desk.route("all", [first, MID])], candidates=(first, MID))
        body = desk.chat("auto")
        answer = desk.answer(desk.post(body), it)
        assert isinstance(answer.action, Mutation)
        assert answer.action.body is None
        assert [sent["model"] for sent in bodies(answer, body)] == ["auto", "org/mid"]

    def test_models_that_are_told_otherwise_to_think_are(self, desk: Any, three: Any) -> None:
        it = three(reasoning=THINKS, edits=Edits(think=Think.ON, max_tokens=9, system_prefix="Be kind."))
        answer = desk.answer(desk.post(desk.chat(None)), it)
        small, large, mid = bodies(answer, b"")
        assert large.pop("chat_template_kwargs") == {"enable_thinking": True}
        assert {sent.pop("model") for sent in (small, large, mid)} == {"small-8b", "org/large", "org/mid"}
        assert small == large == mid
        assert answer.decision.changes == ("model", "max_tokens<=9", "system_prefix"), "of the first"

    def test_what_is_redacted_is_so_in_every_body(self, desk: Any) -> None:
        rule = desk.route("all", [desk.SMALL, MID])
        it = desk.router([rule], [desk.guard(Action.REDACT)], candidates=(desk.SMALL, MID))
        answer = desk.decide(it, desk.post(desk.chat("auto", "I am jane@example.com.")))
        for sent in bodies(answer, b""):
            assert sent["messages"][0]["content"] == "I am <EMAIL_ADDRESS_1>."
        assert answer.decision.changes == ("model", "redact: 1 redacted")

    def test_what_is_too_much_to_tell_is_no_chain(self, desk: Any, three: Any) -> None:
        """Names of 30,000 bytes, as no config has them."""
        long = replace(desk.LARGE, served_name="x" * (chaining.MAX_BYTES - 700))
        for more, chained in ((0, True), (700, False)):
            model = replace(long, served_name=long.served_name + "x" * more)
            rule = desk.route("all", [desk.SMALL, model], cascade=Cascade())
            it = desk.router([rule], candidates=(desk.SMALL, model))
            answer = desk.answer(desk.post(desk.chat("auto", stream=True)), it)
            assert isinstance(answer.action, Mutation)
            assert (answer.action.chain is not None) is chained
            assert (answer.decision.chain == ("small-8b",)) is not chained
            assert (answer.decision.cascade == "") is not chained
            # Nobody would strip them again.
            assert ("logprobs" in json.loads(answer.action.body or b"{}")) is chained
            assert answer.decision.why == "all: it holds for every request; first in the rule's order; so small-8b"


class TestCascade:
    def test_the_first_is_tried_again_behind_the_second(self, desk: Any, three: Any) -> None:
        answer = desk.answer(desk.post(desk.chat("auto")), three(cascade=Cascade(0.7, 8)))
        mutation, chain = walked(answer)
        assert [attempt.cluster for attempt in chain.attempts] == ["small", "large", "small", "middle"]
        headers = dict(mutation.set_headers)
        assert (headers["x-llm-chain"], headers["x-envoy-max-retries"]) == ("cascade", "3")
        assert answer.decision.chain == ("small-8b", "large-70b", "mid")
        assert answer.decision.cascade == "large-70b"

    def test_the_verifier_is_told_what_it_has_to_know(self, desk: Any, three: Any) -> None:
        tools = [{"type": "function", "function": {"name": "f"}}]
        body = desk.chat("auto", stream=True, tools=tools, max_tokens=5, response_format={"type": "json_object"})
        verification = walked(desk.answer(desk.post(body), three(cascade=Cascade(0.7, 8))))[1].verification
        assert verification is not None
        assert (verification.decision_id, verification.rule, verification.api) == ("id1", "all", "chat_completions")
        assert (verification.stream, verification.accept_at, verification.first_tokens) == (True, 0.7, 8)
        assert verification.models == ("small-8b", "large-70b", "small-8b", "mid")
        assert verification.costs == ((0.1, 0.3), (0.9, 1.8), (0.1, 0.3), (0.5, 0.9))
        assert (verification.tools, verification.bounded, verification.json_schema) == (True, True, "{}")
        assert verification.difficulty is None

    def test_the_judged_answers_alone_have_log_probabilities_and_all_have_usage(self, desk: Any, three: Any) -> None:
        answer = desk.answer(desk.post(desk.chat("auto", stream=True)), three(cascade=Cascade()))
        first, second, third, fourth = bodies(answer, b"")
        assert first == third
        assert (first["logprobs"], first["stream_options"]) == (True, {"include_usage": True})
        for other in (second, fourth):
            assert "logprobs" not in other
            assert other["stream_options"] == {"include_usage": True}
        assert answer.decision.changes == ("model", "logprobs", "include_usage")
        _, chain = walked(answer)
        assert chain.attempts[2].splices == ()
        assert chain.verification is not None
        assert (chain.verification.strips_logprobs, chain.verification.strips_usage) == (True, True)

    @pytest.mark.parametrize("rule_asks", [False, True])
    def test_what_was_asked_for_anyway_is_not_stripped(self, desk: Any, three: Any, rule_asks: bool) -> None:
        it = three(cascade=Cascade(), edits=Edits(include_usage=rule_asks))
        asked = {} if rule_asks else {"stream_options": {"include_usage": True}}
        body = desk.chat("auto", stream=True, logprobs=True, **asked)
        answer = desk.answer(desk.post(body), it)
        verification = walked(answer)[1].verification
        assert verification is not None
        assert (verification.strips_logprobs, verification.strips_usage) == (False, False)
        for sent in bodies(answer, b""):
            assert (sent["logprobs"], sent["stream_options"]) == (True, {"include_usage": True})

    def test_a_model_that_cannot_tell_log_probabilities_is_not_asked(self, desk: Any) -> None:
        mute = replace(desk.SMALL, logprobs=False)
        rule = desk.route("all", [mute, MID], cascade=Cascade())
        it = desk.router([rule], candidates=(mute, MID))
        answer = desk.answer(desk.post(desk.chat("auto")), it)
        assert all("logprobs" not in sent for sent in bodies(answer, b""))
        assert answer.decision.cascade == "mid"

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("stream", [False, True])
    def test_every_api_that_has_answers(self, desk: Any, three: Any, path: str, stream: bool) -> None:
        body = json.dumps({"model": "auto", "stream": stream, **PATHS[path]}).encode()
        answer = desk.answer(desk.post(body, path), three(cascade=Cascade()))
        models = [sent["model"] for sent in bodies(answer, body)]
        _, chain = walked(answer)
        if path == "/v1/embeddings":
            assert models == ["small-8b", "org/large", "org/mid"]
            assert chain.verification is None
            return
        assert models == ["small-8b", "org/large", "small-8b", "org/mid"]
        assert chain.verification is not None
        assert chain.verification.strips_logprobs is (path != "/v1/messages")
        assert chain.verification.strips_usage is (stream and path.endswith("completions"))

    def test_a_schema_is_told_as_the_model_reads_it(self, desk: Any) -> None:
        """Personal data that a rule replaces reach the verifier replaced, too."""
        rule = desk.route("all", [desk.SMALL, MID], cascade=Cascade())
        it = desk.router([rule], [desk.guard(Action.REDACT)], candidates=(desk.SMALL, MID))
        schema = {"type": "object", "description": "for jane@example.com"}
        body = desk.chat("auto", response_format={"type": "json_schema", "json_schema": {"schema": schema}})
        verification = walked(desk.decide(it, desk.post(body)))[1].verification
        assert verification is not None
        assert json.loads(verification.json_schema)["description"] == "for <EMAIL_ADDRESS_1>"
