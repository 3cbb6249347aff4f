from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.errors import StartupError
from extproc_router.explaining import logged
from extproc_router.explaining.given import fresh
from extproc_router.telemetry import decision_log
from extproc_router.types import Decision, HttpRequest, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.explaining.explanation import Explanation
    from extproc_router.router import Router

    Post = Callable[..., HttpRequest]
    Tell = Callable[..., Explanation]


@pytest.fixture
def decided(router: Router, scripted_encoder: Any) -> Callable[[HttpRequest], Decision]:
    return lambda http: wiring.decide(fresh(router), scripted_encoder, http)[0].decision


@pytest.fixture
def retold(router: Router, decided: Callable[[HttpRequest], Decision]) -> Tell:
    """Decide a request, log it, and tell it again from the line."""

    def tell(http: HttpRequest) -> Explanation:
        line = decision_log.line(Record(decided(http), 1.0, 0.0125, None, "", ""))
        decision, total_ms = logged.parse(line, "log")
        assert total_ms == 12.5
        return logged.retell(router.terms, decision, total_ms)

    return tell


def outcomes(told: Explanation) -> dict[str, str]:
    return {line.rule: line.outcome for line in told.rules}


def test_a_line_is_read_as_it_was_written(decided: Callable[[HttpRequest], Decision], post: Post) -> None:
    decision = decided(post("some hard math"))
    line = decision_log.line(Record(decision, 1.0, 0.5, None, "", ""))
    assert logged.parse(b"\n" + line + b"\n", "log") == (decision, 500.0)


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"nope", b"[]", b"{}", b'{"id": 3}', b"{}\n{}\n", b"\xff", b"[" * 100_000]
)
def test_what_is_no_line_of_the_log_is_said(text: bytes) -> None:
    with pytest.raises(StartupError, match="the decision log"):
        logged.parse(text, "log")


def test_the_line_of_a_cascade_is_told_apart() -> None:
    with pytest.raises(StartupError, match="log: a line of kind 'cascade' tells what became of answers"):
        logged.parse(b'{"time":"now","kind":"cascade","decision_id":"a"}\n', "log")


def test_rules_are_told_again_from_the_evidence(retold: Tell, post: Post) -> None:
    told = retold(post("some hard math", {"x-plan": "basic"}))
    assert outcomes(told)["maths"] == "matched"
    assert outcomes(told)["gold"] == "not reached"
    assert [(line.name, line.note) for line in told.models[:2]] == [("large", "chosen"), ("small", "fallback")]
    assert told.safety[0].outcome == "no match"
    assert (told.action, told.before, told.total_ms) == (None, None, 12.5)
    assert not any("encoder" in note for note in told.notes)


def test_a_value_that_the_log_does_not_keep_is_unknown(retold: Tell, post: Post) -> None:
    told = retold(post("some math", {"x-tenant": "globex"}))
    acme = told.rules[0]
    assert (acme.outcome, acme.why) == ("unknown", "the log keeps no value of tenant")
    assert outcomes(told)["maths"] == "matched"
    assert any("does not keep" in note for note in told.notes)
    assert "globex" not in str(told)


def test_the_log_is_believed_where_such_a_rule_chose(retold: Tell, post: Post) -> None:
    told = retold(post("some math", {"x-tenant": "acme"}))
    assert outcomes(told) == {"acme": "matched", **dict.fromkeys(("soak", "maths", "shady", "gold"), "not reached")}


def test_a_header_that_was_not_there_is_certain(retold: Tell, post: Post) -> None:
    assert outcomes(retold(post("some math")))["acme"] == "no match"


def test_a_percentage_of_conversations_is_unknown_unless_the_condition_says_no(retold: Tell, post: Post) -> None:
    assert outcomes(retold(post("some long math indeed")))["soak"] == "unknown"
    assert outcomes(retold(post("hi")))["soak"] == "no match"


def test_what_was_stopped_is_told_so(retold: Tell, post: Post) -> None:
    told = retold(post("an attack"))
    assert told.safety[0].outcome == "block"
    assert set(outcomes(told).values()) == {"not reached"}
    assert told.models == ()


def test_an_absent_signal_stays_absent(retold: Tell, post: Post) -> None:
    assert retold(post("broken")).safety[0].outcome == "unchecked"


def test_a_request_that_was_not_routed_has_no_story(retold: Tell) -> None:
    told = retold(HttpRequest("POST", "/elsewhere", {}, b"x"))
    assert (told.rules, told.safety, told.models) == ((), (), ())


def test_another_config_is_said_and_its_rules_are_told(
    decided: Callable[[HttpRequest], Decision], post: Post, told_config: str, scripted_encoder: Any
) -> None:
    other = told_config.replace("name: maths", "name: sums").replace(", pii: ", "")
    router = wiring.build_router(loader.load(other, "o.yaml"), scripted_encoder)
    decision = replace(decided(post("some hard math")), encoder_version="e1")
    told = logged.retell(router.terms, decision)
    assert outcomes(told)["sums"] == "matched"
    notes = "\n".join(told.notes)
    assert f"decided under config {decision.config_version}, told under {router.terms.config_version}" in notes
    assert "the log says rule maths; here the first that matches is sums" in notes
    assert "encoder e1, not of e0" in notes


def test_a_signal_or_a_tier_that_is_gone_is_said(
    decided: Callable[[HttpRequest], Decision], post: Post, scripted_encoder: Any
) -> None:
    bare = "models: [{name: small, cluster: s}]\nrouting: {default: small}\n"
    router = wiring.build_router(loader.load(bare, "o.yaml"), scripted_encoder)
    decision = replace(decided(post("some math")), privacy_tier="restricted")
    told = logged.retell(router.terms, decision)
    notes = "\n".join(told.notes)
    assert "the config given has no signal" in notes
    assert "tenant" in notes
    assert "no such privacy tier" in notes
    assert told.rules == ()


def test_a_signal_that_was_never_read_is_said(
    decided: Callable[[HttpRequest], Decision], post: Post, router: Router
) -> None:
    decision = decided(post("some math"))
    less = replace(decision, signals=tuple(kept for kept in decision.signals if kept.name != "domain"))
    told = logged.retell(router.terms, replace(less, config_version="older"))
    maths = next(line for line in told.rules if line.rule == "maths")
    assert (maths.outcome, maths.why) == ("unknown", "the log has no signal domain")


def test_a_line_of_an_older_version_lacks_what_came_later(
    router: Router, decided: Callable[[HttpRequest], Decision], post: Post
) -> None:
    fields = json.loads(decision_log.line(Record(decided(post("some math")), 1.0, 0.5, None, "", "")))
    for later in ("rule", "chain", "safety", "shadow", "sticky", "changes", "total_ms"):
        fields.pop(later, None)
    decision, total_ms = logged.parse(json.dumps(fields).encode(), "log")
    assert (logged.retell(router.terms, decision).models != (), total_ms) == (False, None)
