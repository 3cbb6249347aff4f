"""One request through the rooms, without sockets: what upstream would receive, and what the client would be told."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.candidates import Candidate
from extproc_router.errors import EncoderTimeout
from extproc_router.policy.rules import Action, Edits, Think
from extproc_router.router import CLUSTER_HEADER, DECISION_HEADER
from extproc_router.signals.base import NO_ANSWERS, Answers, Cost
from extproc_router.types import Answer, Ask, HttpRequest, Mutation, Question, Reason, Reply, Signal

if TYPE_CHECKING:
    from extproc_router.types import Decision

CHAT = "/v1/chat/completions"
CAP = 4096
PASSED = Mutation(((DECISION_HEADER, "id1"),))


def get(path: str, **headers: str) -> HttpRequest:
    return HttpRequest("GET", path, {name.replace("_", "-"): value for name, value in headers.items()}, None)


class TestRouted:
    def test_a_named_model_needs_no_encoder_and_no_change(self, desk: Any) -> None:
        decided = desk.answer(desk.post(desk.chat("small-8b"), x_request_id="rq"))
        assert decided.action == Mutation(((CLUSTER_HEADER, "small"), (DECISION_HEADER, "id1")))
        decision = decided.decision
        assert (decision.reason, decision.model, decision.cluster) == (Reason.NAMED, "small-8b", "small")
        assert (decision.config_version, decision.encoder_version, decision.request_id) == ("cv", "ev", "rq")
        assert (decision.chain, decision.signals) == (("small-8b",), ())

    def test_only_the_model_changes_in_the_body(self, desk: Any) -> None:
        body = b'{ "x" : 1e400, "model" : "large-70b" ,"messages":[{"role":"user","content":"\\u00e9"}]}'
        action = desk.answer(desk.post(body)).action
        assert isinstance(action, Mutation)
        assert action.body == body.replace(b'"large-70b"', b'"org/large"')

    @pytest.mark.parametrize("model", ["auto", "", None])
    def test_auto_is_decided_by_what_the_encoder_reads(self, desk: Any, model: str | None) -> None:
        http = desk.post(desk.chat(model))
        assert desk.plan(http).asks == (Ask("What is 2 + 2?", frozenset({"domain"})),)
        decided = desk.decide(desk.router(), http)
        decision = decided.decision
        assert (decision.reason, decision.cluster, decision.rule) == (Reason.DOMAIN, "large", "routing.domains")
        assert decision.chain == ("large-70b", "small-8b")
        assert isinstance(decided.action, Mutation)
        assert json.loads(decided.action.body or b"")["model"] == "org/large"
        assert [(s.name, s.label, s.labels) for s in decision.signals] == [("domain", "math", ("math",))]

    def test_below_the_floor_the_default_serves(self, desk: Any) -> None:
        decision = desk.decide(desk.router(), desk.post(desk.chat()), desk.Reads(p=0.3)).decision
        assert (decision.reason, decision.cluster) == (Reason.LOW_CONFIDENCE, "small")

    def test_a_shed_encoder_is_the_default_and_says_so(self, desk: Any) -> None:
        def late(asks: tuple[Ask, ...]) -> dict[str, EncoderTimeout]:
            return {ask.text: EncoderTimeout("late") for ask in asks}

        decision = desk.decide(desk.router(), desk.post(desk.chat()), late).decision
        assert (decision.reason, decision.cluster) == (Reason.SHED, "small")
        assert "timeout" in decision.why
        assert [(s.name, s.absent) for s in decision.signals] == [("domain", "timeout")]

    def test_an_answer_that_is_missing_counts_as_failed(self, desk: Any) -> None:
        it = desk.router()
        decided = it.decide(desk.plan(desk.post(desk.chat()), it), NO_ANSWERS)
        assert decided.decision.reason is Reason.SHED

    def test_nothing_to_read_is_the_default(self, desk: Any) -> None:
        assert desk.answer(desk.post(desk.chat(text="  "))).decision.reason is Reason.NO_TEXT

    def test_rules_that_read_nothing_need_no_encoder(self, desk: Any) -> None:
        assert desk.answer(desk.post(desk.chat()), desk.router(routes=[])).decision.reason is Reason.NO_RULE
        decision = desk.answer(desk.post(desk.chat()), desk.router([desk.route("all", [desk.LARGE])])).decision
        assert (decision.reason, decision.rule, decision.signals) == (Reason.RULE, "all", ())

    def test_where_nothing_matched_the_default_serves(self, desk: Any) -> None:
        decision = desk.decide(desk.router(), desk.post(desk.chat()), desk.Reads("law")).decision
        assert (decision.reason, decision.cluster) == (Reason.NO_RULE, "small")

    @pytest.mark.parametrize("path", [CHAT + "?api-version=1", CHAT + "/", "/v1/ch%61t/completions"])
    def test_a_path_is_read_as_upstreams_read_it(self, desk: Any, path: str) -> None:
        assert desk.answer(desk.post(desk.chat("small-8b"), path)).decision.reason is Reason.NAMED

    def test_a_compressed_body_goes_on_decoded(self, desk: Any) -> None:
        decided = desk.answer(desk.post(gzip.compress(desk.chat("small-8b")), content_encoding="gzip"))
        assert decided.action == Mutation(
            ((CLUSTER_HEADER, "small"), (DECISION_HEADER, "id1")), ("content-encoding",), desk.chat("small-8b")
        )

    def test_a_prompt_longer_than_a_window_goes_elsewhere(self, desk: Any) -> None:
        short = Candidate("short", "short", "short", 0, 0, 0, window=20)
        it = desk.router([desk.route("all", [short])], candidates=(desk.SMALL, short))
        decision = desk.answer(desk.post(desk.chat(text="word " * 100)), it).decision
        assert (decision.reason, decision.model) == (Reason.CAPABILITY, "small-8b")
        assert desk.answer(desk.post(desk.chat()), it).decision.model == "short"

    def test_what_a_strategy_or_an_edit_needs_is_asked_in_the_same_round(self, desk: Any) -> None:
        thinking = desk.route("all", [desk.LARGE], desk.when("domain", "math"), edits=Edits(think=Think.AUTO))
        [ask] = desk.plan(desk.post(desk.chat()), desk.router([thinking])).asks
        assert ask.heads == {"domain", "reasoning"}


class TestPrivacy:
    def test_a_restricted_request_stays_with_cleared_models(self, desk: Any) -> None:
        decision = desk.decide(desk.router(), desk.post(desk.chat(), x_privacy_tier="restricted")).decision
        assert (decision.reason, decision.cluster) == (Reason.PRIVACY, "small")
        assert (decision.privacy_tier, decision.chain) == ("restricted", ("small-8b",))

    def test_a_named_model_that_is_not_cleared_is_refused(self, desk: Any) -> None:
        decided = desk.answer(desk.post(desk.chat("large-70b"), x_privacy_tier="public, restricted"))
        assert desk.error(decided)["code"] == "model_not_allowed"
        assert decided.decision.status == 403

    def test_no_cleared_model_at_all_is_a_503(self, desk: Any) -> None:
        it = desk.router([], candidates=(desk.LARGE,))
        decided = desk.answer(desk.post(desk.chat(), x_privacy_tier="restricted"), it)
        assert desk.error(decided)["code"] == "no_eligible_model"
        assert decided.decision.status == 503

    @pytest.mark.parametrize(
        "http",
        [
            HttpRequest("POST", "/v1/audio/transcriptions", {"x-privacy-tier": "restricted"}, None),
            get("/health", x_privacy_tier="other"),
            HttpRequest("POST", CHAT, {"x-privacy-tier": "restricted"}, None),
            HttpRequest("POST", CHAT, {"x-privacy-tier": "restricted", "content-encoding": "br"}, b"{}"),
            HttpRequest("POST", CHAT, {"x-privacy-tier": "restricted", "content-type": "multipart/mixed"}, b"--x"),
        ],
    )
    def test_what_is_restricted_and_not_read_goes_nowhere_and_is_told_why(self, desk: Any, http: HttpRequest) -> None:
        decided = desk.answer(http)
        assert decided.decision.status == 503
        assert "cannot be read" in desk.error(decided)["message"]

    def test_and_so_does_what_there_is_no_room_for(self, desk: Any) -> None:
        passed = desk.router().shed(desk.post(None), "id1", "no room")
        assert (passed.action, passed.decision.reason) == (PASSED, Reason.SHED)
        kept = desk.router().shed(desk.post(None, x_privacy_tier="restricted"), "id1", "no room")
        assert desk.error(kept)["code"] == "no_eligible_model"


class TestRestricted:
    """By a safety rule, beyond what the headers say."""

    @pytest.fixture
    def rule(self, desk: Any) -> Any:
        return desk.guard(Action.RESTRICT, desk.when("domain", "math", guards=True))

    def test_what_rules_restrict_stays_with_cleared_models(self, desk: Any, rule: Any) -> None:
        decision = desk.decide(desk.router(safeguards=[rule]), desk.post(desk.chat())).decision
        assert (decision.model, decision.reason) == ("small-8b", Reason.PRIVACY)
        assert (decision.privacy_tier, decision.safety) == ("restricted", ("restrict=restrict",))

    def test_a_named_request_waits_for_it_and_is_held_to_it(self, desk: Any, rule: Any) -> None:
        it, http = desk.router(safeguards=[rule]), desk.post(desk.chat("large-70b"))
        assert [ask.heads for ask in desk.plan(http, it).asks] == [{"domain"}]
        decided = desk.decide(it, http)
        assert desk.error(decided)["code"] == "model_not_allowed"
        assert decided.decision.privacy_tier == "restricted"
        assert decided.decision.safety == ("restrict=restrict",)
        assert desk.decide(it, http, desk.Reads("law")).decision.model == "large-70b"

    def test_an_encoder_that_is_shed_restricts(self, desk: Any, rule: Any) -> None:
        it = desk.router(safeguards=[rule])
        decided = it.decide(desk.plan(desk.post(desk.chat()), it), NO_ANSWERS)
        assert (decided.decision.model, decided.decision.privacy_tier) == ("small-8b", "restricted")


class TestStopped:
    def test_a_block_that_needs_no_encoder_never_waits_for_one(self, desk: Any) -> None:
        blocks = desk.guard(Action.BLOCK, desk.when("tenant"), name="tenants")
        jailbreak = desk.guard(Action.BLOCK, desk.when("jailbreak", "yes"))
        it = desk.router(safeguards=[jailbreak, blocks], readers={"tenant": desk.Stub("tenant")})
        for model in ("auto", "small-8b", "gpt-9"):
            decision = desk.answer(desk.post(desk.chat(model)), it).decision
            assert (decision.reason, decision.status) == (Reason.BLOCKED, 403)
            assert (decision.safety, decision.model) == (("tenants=block",), "")

    def test_one_that_needs_it_waits_for_named_models_too(self, desk: Any) -> None:
        it = desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("jailbreak", "yes", guards=True))])
        http = desk.post(desk.chat("small-8b"))
        assert [ask.heads for ask in desk.plan(http, it).asks] == [{"jailbreak"}]
        assert desk.decide(it, http, desk.Reads(attack=True)).decision.reason is Reason.BLOCKED
        assert desk.decide(it, http).decision.reason is Reason.NAMED

    def test_what_could_not_be_checked_is_not_sent(self, desk: Any) -> None:
        it = desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("jailbreak", "yes", guards=True))])
        for model in ("auto", "small-8b"):
            decided = it.decide(desk.plan(desk.post(desk.chat(model)), it), NO_ANSWERS)
            assert (decided.decision.reason, decided.decision.status) == (Reason.UNCHECKED, 503)
            assert isinstance(decided.action, Reply)


class TestUnread:
    """Bodies that nobody can check, by what stands in the config."""

    UNREAD: tuple[tuple[dict[str, str], bytes | None, int], ...] = (
        ({}, None, 400),
        ({}, b"", 400),
        ({"content-encoding": "br"}, b"{}", 415),
        ({"content-encoding": "gzip"}, b"\x1f\x8bbroken", 415),
        ({"content-encoding": "gzip"}, gzip.compress(b" " * (CAP + 1), mtime=0), 415),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x", 415),
    )

    @pytest.mark.parametrize(("headers", "body", "status"), UNREAD)
    @pytest.mark.parametrize("action", [Action.BLOCK, Action.REFUSE, Action.REDACT, Action.RESTRICT])
    def test_where_strict_rules_would_have_to_read_them_they_are_refused(
        self, desk: Any, action: Action, headers: dict[str, str], body: bytes | None, status: int
    ) -> None:
        it = desk.router(safeguards=[desk.guard(action, desk.when("jailbreak", "yes"))])
        decided = desk.answer(HttpRequest("POST", CHAT, headers, body), it)
        assert isinstance(decided.action, Reply)
        assert (decided.decision.status, decided.decision.reason) == (status, Reason.REFUSED)

    @pytest.mark.parametrize(("headers", "body", "status"), UNREAD)
    def test_where_none_has_to_they_pass(
        self, desk: Any, headers: dict[str, str], body: bytes | None, status: int
    ) -> None:
        harmless = [
            desk.guard(Action.BLOCK, shadow=True),
            desk.guard(Action.BLOCK, desk.when("jailbreak", "yes"), strict=False),
            desk.guard(Action.FLAG),
        ]
        for safeguards in ([], harmless):
            decided = desk.answer(HttpRequest("POST", CHAT, headers, body), desk.router(safeguards=safeguards))
            assert (decided.action, decided.decision.reason) == (PASSED, Reason.PASSED)

    @pytest.mark.parametrize(
        ("method", "path", "headers", "refused"),
        [
            ("POST", "//v1/chat/completions", {"content-length": "2"}, True),
            ("POST", "/invocations", {"content-length": "2"}, True),
            ("PUT", CHAT, {"content-length": "2"}, True),
            ("POST", "/v1/responses/r1/cancel", {}, False),
            ("GET", CHAT, {"content-length": "20"}, True),
            ("GET", CHAT, {"transfer-encoding": "chunked"}, True),
            ("GET", "/health", {}, False),
            ("DELETE", "/v1/responses/r1", {}, False),
            ("GET", "/v1/models", {}, False),
        ],
    )
    def test_what_nobody_reads_reaches_no_model_where_rules_have_to(
        self, desk: Any, method: str, path: str, headers: dict[str, str], *, refused: bool
    ) -> None:
        http = HttpRequest(method, path, headers, None)
        guards = [desk.guard(Action.BLOCK, desk.when("jailbreak", "yes"))]
        for it, closed in (
            (desk.router(safeguards=guards), refused),
            (desk.router(safeguards=guards, unrouted="pass"), False),
            (desk.router(), False),
            (desk.router(unrouted="refuse"), refused),
        ):
            assert (desk.answer(http, it).decision.status == 415) is closed

    def test_what_there_is_no_room_for_is_not_sent_unchecked(self, desk: Any) -> None:
        it = desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("jailbreak", "yes"))])
        decided = it.shed(desk.post(None), "id1", "no room")
        assert (decided.decision.status, desk.error(decided)["code"]) == (503, "safety_check_unavailable")
        assert (decided.decision.reason, decided.decision.why) == (Reason.UNCHECKED, "no room")
        assert ("retry-after", "1") in decided.action.headers

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/v1/completions", b'{"model": "small-8b", "prompt": [1, 2, 3]}'),
            ("/v1/completions", b'{"model": "small-8b", "prompt_embeds": "AAAA"}'),
            ("/v1/embeddings", b'{"model": "small-8b", "input": [[1, 2], [3]]}'),
        ],
    )
    def test_token_ids_pass_where_no_rule_has_to_read_the_prompt(self, desk: Any, path: str, body: bytes) -> None:
        http = HttpRequest("POST", path, {}, body)
        reading = desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("jailbreak", "yes"))])
        decided = desk.answer(http, reading)
        assert (decided.decision.status, desk.error(decided)["code"]) == (415, "unsupported_media_type")
        looking = desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("stream", "yes"))])
        for it in (looking, desk.router()):
            assert desk.answer(http, it).decision.reason is Reason.NAMED


class TestQuestions:
    """What language models are asked, and when."""

    @pytest.fixture
    def it(self, desk: Any) -> Any:
        def make(*safeguards: Any, cleared: int = 0, routes: Any = None) -> Any:
            asked = (Ask("hi", embedding=True), Question("wants", desk.chat("judge", "about jane@example.com")))
            stub = desk.Stub("wants", Cost.MODEL, asked=asked)
            table = routes or [desk.route("wants", [desk.LARGE], desk.when("wants"))]
            return desk.router(table, safeguards, {"wants": stub}, matchers={"wants": cleared})

        return make

    def test_they_are_asked_at_once_where_the_tier_is_settled(self, desk: Any, it: Any) -> None:
        plan = desk.plan(desk.post(desk.chat()), it())
        assert ([ask.text for ask in plan.asks], [question.signal for question in plan.questions]) == (
            ["hi"],
            ["wants"],
        )
        assert desk.decide(it(), desk.post(desk.chat()), said={"wants": b"!"}).decision.model == "large-70b"

    def test_and_not_before(self, desk: Any, it: Any) -> None:
        router = it(desk.guard(Action.RESTRICT, desk.when("domain", "math", guards=True)), cleared=0)
        http = desk.post(desk.chat())
        plan = desk.plan(http, router)
        assert plan.questions == ()
        assert {ask.text for ask in plan.asks} == {"hi", "What is 2 + 2?"}
        second = router.decide(plan, Answers(desk.Reads("law")(plan.asks)))
        assert (second.asks, [question.signal for question in second.questions]) == ((), ["wants"])

    def test_nor_where_the_model_is_not_cleared(self, desk: Any, it: Any) -> None:
        restricts = desk.guard(Action.RESTRICT, desk.when("domain", "math", guards=True))
        router = it(restricts, cleared=0)
        plan = desk.plan(desk.post(desk.chat()), router)
        decided = router.decide(plan, Answers(desk.Reads("math")(plan.asks)))
        assert isinstance(decided, Answer)
        assert (decided.decision.reason, decided.decision.model) == (Reason.SHED, "small-8b")
        assert [(s.name, s.absent) for s in decided.decision.signals if s.absent] == [("wants", "judge_not_cleared")]
        cleared = it(restricts, cleared=1)
        second = cleared.decide(desk.plan(desk.post(desk.chat()), cleared), Answers(desk.Reads("math")(plan.asks)))
        assert len(second.questions) == 1

    def test_nor_by_a_signal_that_names_no_model(self, desk: Any) -> None:
        stub = desk.Stub("wants", Cost.MODEL, asked=(Question("other", b"{}"),))
        it = desk.router([desk.route("wants", [desk.LARGE], desk.when("wants"))], readers={"wants": stub})
        assert desk.answer(desk.post(desk.chat()), it).decision.reason is Reason.SHED

    def test_nor_for_a_safety_rule(self, desk: Any, it: Any) -> None:
        router = it(desk.guard(Action.BLOCK, desk.when("wants", guards=True)))
        plan = desk.plan(desk.post(desk.chat()), router)
        assert plan.questions == ()
        assert router.decide(plan, Answers(desk.Reads()(plan.asks))).decision.reason is Reason.UNCHECKED

    def test_nor_with_what_is_to_be_redacted(self, desk: Any, it: Any) -> None:
        router = it(desk.guard(Action.REDACT, desk.when("pii", guards=True)))
        plan = desk.plan(desk.post(desk.chat(text="about jane@example.com")), router)
        decided = router.decide(plan, Answers(desk.Reads()(plan.asks)))
        assert isinstance(decided, Answer)
        assert [(s.name, s.absent) for s in decided.decision.signals if s.absent] == [("wants", "judge_not_cleared")]


class TestSticky:
    SAID = (
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "go on"},
    )

    def serve(self, desk: Any, it: Any, turns: int, encode: Any, **headers: str) -> Decision:
        body = json.dumps({"model": "auto", "messages": self.SAID[:turns]}).encode()
        decision: Decision = desk.decide(it, desk.post(body, **headers), encode).decision
        return decision

    @pytest.fixture
    def it(self, desk: Any) -> Any:
        """Mathematics goes to the large model; the rest, which is easy, to the small one, or stays with the large."""
        easy = desk.Stub("difficulty", said=Signal("difficulty", "0.20", 1.0, number=0.2))
        options = {"pick": "threshold", "strong": "large-70b", "weak": "small-8b", "at": 0.5}
        rest = desk.route("rest", [desk.LARGE, desk.SMALL], options=options)
        maths = desk.route("math", [desk.LARGE], desk.when("domain", "math"))
        return desk.router([maths, rest], readers={"difficulty": easy})

    def test_a_conversation_stays_with_its_model_where_that_suffices(self, desk: Any, it: Any) -> None:
        assert self.serve(desk, it, 3, desk.Reads("law")).model == "small-8b"
        yielded = self.serve(desk, it, 3, desk.Reads("math"))
        assert (yielded.model, yielded.sticky) == ("large-70b", "yielded")
        held = self.serve(desk, it, 3, desk.Reads("law"))
        assert (held.model, held.sticky) == ("large-70b", "held")

    def test_one_that_begins_has_no_model_yet(self, desk: Any, it: Any) -> None:
        assert [self.serve(desk, it, 1, desk.Reads("math")).sticky for _ in range(2)] == ["", ""]

    def test_the_default_of_a_shed_request_is_not_its_model(self, desk: Any, it: Any) -> None:
        self.serve(desk, it, 1, desk.Reads("math"))
        shed = self.serve(desk, it, 3, lambda asks: {ask.text: EncoderTimeout("late") for ask in asks})
        assert (shed.reason, shed.model) == (Reason.SHED, "small-8b")
        assert self.serve(desk, it, 3, desk.Reads("math")).sticky == "held"

    def test_a_restricted_one_leaves_a_model_that_is_not_cleared(self, desk: Any, it: Any) -> None:
        self.serve(desk, it, 1, desk.Reads("math"))
        later = self.serve(desk, it, 3, desk.Reads("law"), x_privacy_tier="restricted")
        assert (later.model, later.sticky) == ("small-8b", "yielded")


class TestRefused:
    def test_an_unknown_model_is_a_404_in_the_apis_shape(self, desk: Any) -> None:
        decided = desk.answer(desk.post(desk.chat("gpt-9")))
        assert desk.error(decided) == {
            "message": "The model 'gpt-9' does not exist.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
        assert (decided.decision.reason, decided.decision.status) == (Reason.REFUSED, 404)

    def test_anthropics_shape_on_its_path(self, desk: Any) -> None:
        decided = desk.answer(desk.post(desk.chat("gpt-9"), "/v1/messages"))
        assert desk.error(decided)["type"] == "not_found_error"

    def test_what_the_client_wrote_is_not_kept(self, desk: Any) -> None:
        secret = "s3cret" * 100
        decision = desk.answer(desk.post(desk.chat(secret))).decision
        assert secret not in repr(decision)
        assert len(decision.requested_model) <= 128

    def test_an_answer_is_never_longer_than_what_was_asked(self, desk: Any) -> None:
        for name in ("\U000e0001" * 300, "x" * 3000):
            reply = desk.answer(desk.post(desk.chat(name))).action
            assert isinstance(reply, Reply)
            assert len(reply.body) < 3000

    def test_a_length_of_many_digits_is_too_long(self, desk: Any) -> None:
        assert desk.answer(desk.post(None, content_length="9" * 5000)).decision.status == 413

    def test_a_body_above_the_cap_is_refused_by_its_announced_length(self, desk: Any) -> None:
        http = desk.post(None, content_length=str(CAP + 1))
        assert not desk.router().wants_body(http)
        assert desk.answer(http).decision.status == 413

    def test_and_by_its_real_one(self, desk: Any) -> None:
        assert desk.answer(desk.post(b" " * (CAP + 1))).decision.status == 413

    def test_no_json_is_a_400(self, desk: Any) -> None:
        assert desk.answer(desk.post(b"hello")).decision.status == 400


class TestAmbiguous:
    def test_a_member_given_twice_is_refused_where_a_rule_reads_the_prompt(self, desk: Any) -> None:
        turns = b'"messages":[{"role":"user","content":"bomb"}],"messages":[{"role":"user","content":"hi"}]'
        body = b'{"model":"small-8b",%b}' % turns
        assert isinstance(desk.answer(desk.post(body)).action, Mutation)
        guarded = desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("pii"))])
        assert desk.answer(desk.post(body), guarded).decision.status == 415


class TestPassed:
    @pytest.mark.parametrize(
        "http",
        [
            get(CHAT),
            HttpRequest("HEAD", "/v1/models", {}, None),
            HttpRequest("OPTIONS", CHAT, {}, None),
            get("/v1/modelsx"),
            HttpRequest("POST", "/v1/audio/transcriptions", {}, None),
        ],
    )
    def test_what_is_not_ours_to_read_goes_on_untouched(self, desk: Any, http: HttpRequest) -> None:
        for it in (
            desk.router(),
            desk.router(safeguards=[desk.guard(Action.BLOCK, desk.when("jailbreak"))], unrouted="pass"),
        ):
            decided = desk.answer(http, it)
            assert decided.action == PASSED
            assert decided.decision.reason is Reason.PASSED

    def test_bodies_of_other_paths_are_not_asked_for(self, desk: Any) -> None:
        it = desk.router()
        assert it.wants_body(desk.post(None))
        assert not it.wants_body(desk.post(None, "/v1/audio/transcriptions"))
        assert not it.wants_body(HttpRequest("PUT", CHAT, {}, None))
        assert not it.wants_body(desk.post(None, content_type="multipart/form-data"))


class TestModels:
    def test_the_list_comes_from_the_config(self, desk: Any) -> None:
        decided = desk.answer(get("/v1/models?limit=5"))
        assert isinstance(decided.action, Reply)
        assert [model["id"] for model in json.loads(decided.action.body)["data"]] == ["small-8b", "large-70b"]
        assert decided.decision.reason is Reason.LISTED

    def test_one_model_by_name(self, desk: Any) -> None:
        decided = desk.answer(get("/v1/models/small-8b"))
        assert isinstance(decided.action, Reply)
        assert json.loads(decided.action.body)["id"] == "small-8b"

    def test_a_name_may_hold_a_slash(self, desk: Any) -> None:
        it = desk.router([], candidates=(Candidate("org/m", "c", "org/m", 0, 0, 0),))
        for path in ("/v1/models/org/m", "/v1/models/org%2Fm"):
            assert desk.answer(get(path), it).decision.status == 200

    def test_an_unknown_one_is_a_404(self, desk: Any) -> None:
        assert desk.error(desk.answer(get("/v1/models/none")))["code"] == "model_not_found"
