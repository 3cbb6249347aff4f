"""One request through the rooms, without sockets: what upstream would receive, and what the client would be told."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from extproc_router.errors import EncoderTimeout
from extproc_router.policy.engine import Policy
from extproc_router.router import CLUSTER_HEADER, DECISION_HEADER, Plan, Router
from extproc_router.types import Answer, Candidate, Classification, Encoding, HttpRequest, Mutation, Reason, Reply

CHAT = "/v1/chat/completions"
CAP = 4096


def router(**changes: Any) -> Router:
    fields: dict[str, Any] = {
        "candidates": {
            "small-8b": Candidate("small-8b", "small", "small-8b", 0.1, 0.3, 1),
            "large-70b": Candidate("large-70b", "large", "org/large", 0.9, 1.8, 0),
        },
        "auto": frozenset({"", "auto"}),
        "tiers": ("public", "restricted"),
        "domains": {"math": "large-70b"},
        "default": "small-8b",
        "confidence_floor": 0.4,
    }
    return Router(
        Policy(**(fields | changes)),
        config_version="cv",
        encoder_version="ev",
        max_body_bytes=CAP,
        created=1_700_000_000,
    )


def post(body: bytes | None, path: str = CHAT, **headers: str) -> HttpRequest:
    return HttpRequest("POST", path, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def chat(model: str | None = "auto", text: str = "What is 2 + 2?") -> bytes:
    members: dict[str, object] = {} if model is None else {"model": model}
    return json.dumps({**members, "messages": [{"role": "user", "content": text}]}).encode()


def encoding(label: str = "math", p: float = 0.9) -> Encoding:
    return Encoding({"domain": Classification(label, p, {label: p})}, {"domain": 1}, 5, False)


def answer(http: HttpRequest, it: Router | None = None) -> Answer:
    answered = (it or router()).read(http, "id1")
    assert isinstance(answered, Answer)
    return answered


def plan(http: HttpRequest, it: Router | None = None) -> Plan:
    read = (it or router()).read(http, "id1")
    assert isinstance(read, Plan)
    return read


def error(reply: Answer) -> dict[str, Any]:
    assert isinstance(reply.action, Reply)
    document: dict[str, Any] = json.loads(reply.action.body)
    return document["error"]  # type: ignore[no-any-return]


class TestRouted:
    def test_a_named_model_needs_no_encoder_and_no_change(self) -> None:
        http = post(chat("small-8b"), x_request_id="rq")
        decided = answer(http)
        assert decided.action == Mutation(((CLUSTER_HEADER, "small"), (DECISION_HEADER, "id1")))
        decision = decided.decision
        assert (decision.reason, decision.model, decision.cluster) == (Reason.NAMED, "small-8b", "small")
        assert (decision.config_version, decision.encoder_version, decision.request_id) == ("cv", "ev", "rq")

    def test_only_the_model_changes_in_the_body(self) -> None:
        body = b'{ "x" : 1e400, "model" : "large-70b" ,"messages":[{"role":"user","content":"\\u00e9"}]}'
        action = answer(post(body)).action
        assert isinstance(action, Mutation)
        assert action.body == body.replace(b'"large-70b"', b'"org/large"')

    @pytest.mark.parametrize("model", ["auto", "", None])
    def test_auto_is_decided_by_what_the_encoder_reads(self, model: str | None) -> None:
        read = plan(post(chat(model)))
        assert read.text == "What is 2 + 2?"
        decided = router().decide(read, encoding())
        assert (decided.decision.reason, decided.decision.cluster) == (Reason.DOMAIN, "large")
        assert isinstance(decided.action, Mutation)
        assert json.loads(decided.action.body or b"")["model"] == "org/large"
        assert [(s.name, s.label) for s in decided.decision.signals] == [("domain", "math")]

    def test_below_the_floor_the_default_serves(self) -> None:
        decided = router().decide(plan(post(chat())), encoding(p=0.3))
        assert (decided.decision.reason, decided.decision.cluster) == (Reason.LOW_CONFIDENCE, "small")

    def test_a_shed_encoder_is_the_default_and_says_so(self) -> None:
        decided = router().decide(plan(post(chat())), EncoderTimeout("late"))
        assert (decided.decision.reason, decided.decision.cluster) == (Reason.SHED, "small")
        assert "timeout" in decided.decision.why

    def test_nothing_to_read_is_the_default(self) -> None:
        assert answer(post(chat(text="  "))).decision.reason is Reason.NO_TEXT

    def test_rules_that_read_nothing_need_no_encoder(self) -> None:
        assert answer(post(chat()), router(domains={})).decision.reason is Reason.NO_TEXT
        assert router(domains={}).signals == frozenset()
        assert router().signals == {"domain"}

    @pytest.mark.parametrize("path", [CHAT + "?api-version=1", CHAT + "/", "/v1/ch%61t/completions"])
    def test_a_path_is_read_as_upstreams_read_it(self, path: str) -> None:
        assert answer(post(chat("small-8b"), path)).decision.reason is Reason.NAMED


class TestPrivacy:
    def test_a_restricted_request_stays_with_cleared_models(self) -> None:
        decided = router().decide(plan(post(chat(), x_privacy_tier="restricted")), encoding())
        assert (decided.decision.reason, decided.decision.cluster) == (Reason.PRIVACY, "small")
        assert decided.decision.privacy_tier == "restricted"

    def test_a_named_model_that_is_not_cleared_is_refused(self) -> None:
        decided = answer(post(chat("large-70b"), x_privacy_tier="public, restricted"))
        assert error(decided)["code"] == "model_not_allowed"
        assert decided.decision.status == 403

    def test_no_cleared_model_at_all_is_a_503(self) -> None:
        it = router(candidates={"large-70b": Candidate("large-70b", "large", "l", 0, 0, 0)}, default="large-70b")
        read = plan(post(chat(), x_privacy_tier="restricted"), it)
        decided = it.decide(read, encoding())
        assert error(decided)["code"] == "no_eligible_model"
        assert decided.decision.status == 503

    @pytest.mark.parametrize(
        "http",
        [
            HttpRequest("POST", "/v1/audio/transcriptions", {"x-privacy-tier": "restricted"}, None),
            HttpRequest("GET", "/health", {"x-privacy-tier": "other"}, None),
            post(None, x_privacy_tier="restricted"),
            post(chat(), x_privacy_tier="restricted", content_encoding="br"),
            post(b"--x", x_privacy_tier="restricted", content_type="multipart/form-data; boundary=x"),
        ],
    )
    def test_what_is_restricted_and_not_read_goes_nowhere_and_is_told_why(self, http: HttpRequest) -> None:
        decided = answer(http)
        assert decided.decision.status == 503
        assert "cannot be read" in error(decided)["message"]

    def test_and_so_does_what_there_is_no_room_for(self) -> None:
        assert router().shed(post(None), "id1", "no room").action == Mutation()
        assert (
            error(router().shed(post(None, x_privacy_tier="restricted"), "id1", "no room"))["code"]
            == "no_eligible_model"
        )


class TestRefused:
    def test_an_unknown_model_is_a_404_in_the_apis_shape(self) -> None:
        decided = answer(post(chat("gpt-9")))
        assert error(decided) == {
            "message": "The model 'gpt-9' does not exist.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
        assert (decided.decision.reason, decided.decision.status) == (Reason.REFUSED, 404)

    def test_anthropics_shape_on_its_path(self) -> None:
        decided = answer(post(chat("gpt-9"), "/v1/messages"))
        assert error(decided)["type"] == "not_found_error"

    def test_what_the_client_wrote_is_not_kept(self) -> None:
        secret = "s3cret" * 100
        decision = answer(post(chat(secret))).decision
        assert secret not in repr(decision)
        assert len(decision.requested_model) <= 128

    def test_an_answer_is_never_longer_than_what_was_asked(self) -> None:
        for name in ("\U000e0001" * 900, "x" * 3000):
            reply = answer(post(chat(name))).action
            assert isinstance(reply, Reply)
            assert len(reply.body) < 3000

    def test_a_length_of_many_digits_is_too_long(self) -> None:
        assert answer(post(None, content_length="9" * 5000)).decision.status == 413

    def test_a_body_above_the_cap_is_refused_by_its_announced_length(self) -> None:
        http = post(None, content_length=str(CAP + 1))
        assert not router().wants_body(http)
        assert answer(http).decision.status == 413

    def test_and_by_its_real_one(self) -> None:
        assert answer(post(b" " * (CAP + 1))).decision.status == 413

    def test_no_json_is_a_400(self) -> None:
        assert answer(post(b"hello")).decision.status == 400


class TestPassed:
    @pytest.mark.parametrize(
        "http",
        [
            HttpRequest("GET", CHAT, {}, None),
            HttpRequest("HEAD", "/v1/models", {}, None),
            HttpRequest("OPTIONS", CHAT, {}, None),
            HttpRequest("GET", "/v1/modelsx", {}, None),
            post(None),
            post(b""),
            post(None, "/v1/audio/transcriptions"),
            post(b"--x", content_type="multipart/form-data; boundary=x"),
            post(chat(), content_encoding="br"),
            post(b"\x1f\x8bbroken", content_encoding="gzip"),
            post(gzip.compress(b" " * (CAP + 1)), content_encoding="gzip"),
        ],
    )
    def test_what_is_not_ours_to_read_goes_on_untouched(self, http: HttpRequest) -> None:
        decided = answer(http)
        assert decided.action == Mutation()
        assert decided.decision.reason is Reason.PASSED

    def test_bodies_of_other_paths_are_not_asked_for(self) -> None:
        it = router()
        assert it.wants_body(post(None))
        assert not it.wants_body(post(None, "/v1/audio/transcriptions"))
        assert not it.wants_body(HttpRequest("PUT", CHAT, {}, None))
        assert not it.wants_body(post(None, content_type="multipart/form-data"))


def test_a_compressed_body_goes_on_decoded() -> None:
    decided = answer(post(gzip.compress(chat("small-8b")), content_encoding="gzip"))
    assert decided.action == Mutation(
        ((CLUSTER_HEADER, "small"), (DECISION_HEADER, "id1")), ("content-encoding",), chat("small-8b")
    )


class TestModels:
    def test_the_list_comes_from_the_config(self) -> None:
        decided = answer(HttpRequest("GET", "/v1/models?limit=5", {}, None))
        assert isinstance(decided.action, Reply)
        assert [model["id"] for model in json.loads(decided.action.body)["data"]] == ["small-8b", "large-70b"]
        assert decided.decision.reason is Reason.LISTED

    def test_one_model_by_name(self) -> None:
        decided = answer(HttpRequest("GET", "/v1/models/small-8b", {}, None))
        assert isinstance(decided.action, Reply)
        assert json.loads(decided.action.body)["id"] == "small-8b"

    def test_a_name_may_hold_a_slash(self) -> None:
        it = router(candidates={"org/m": Candidate("org/m", "c", "org/m", 0, 0, 0)}, default="org/m")
        for path in ("/v1/models/org/m", "/v1/models/org%2Fm"):
            assert answer(HttpRequest("GET", path, {}, None), it).decision.status == 200

    def test_an_unknown_one_is_a_404(self) -> None:
        assert error(answer(HttpRequest("GET", "/v1/models/none", {}, None)))["code"] == "model_not_found"
