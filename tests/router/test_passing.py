"""Requests that nobody reads: what their headers alone say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.policy.conditions import Always, Not
from extproc_router.policy.conditions import Test as Asks
from extproc_router.policy.rules import Action, Safeguard
from extproc_router.router import DECISION_HEADER
from extproc_router.types import Answer, HttpRequest, Mutation, Reason, Reply

if TYPE_CHECKING:
    from extproc_router.policy.conditions import Condition
    from extproc_router.types import Decision

PASSED = Mutation(((DECISION_HEADER, "id1"),))
SIGNALS: dict[str, dict[str, Any]] = {
    "header": {"header": "x-team", "values": ["legal"]},
    "keyword": {"keywords": ["osprey"]},
}
BY_HEADER = Asks("header", any_of=frozenset({"legal"}))
BY_BODY = Asks("keyword", truth=True)

# Each is a request that the router lets pass where no safety rule is in force.
UNREAD = {
    "coded twice": {"content_encoding": "gzip, gzip"},
    "multipart": {"content_type": "multipart/form-data; boundary=x"},
}


def rule(action: Action, condition: Condition, *, strict: bool = False) -> Safeguard:
    return Safeguard("guard", condition, action, message="No.", tier=1, strict=strict)


def passed(desk: Any, how: str, safeguard: Safeguard, **headers: str) -> Answer:
    it = desk.router(
        readers={kind: desk.reader(kind, **options) for kind, options in SIGNALS.items()}, safeguards=[safeguard]
    )
    if how == "no room":
        answer: Answer = it.shed(desk.post(None, **headers), "id1", "no room")
        return answer
    if how == "other path":
        http = HttpRequest("POST", "/v1/files", {k.replace("_", "-"): v for k, v in headers.items()}, None, more=True)
    else:
        http = desk.post(b"\x00", **UNREAD[how], **headers)
    return desk.answer(http, it)  # type: ignore[no-any-return]


@pytest.mark.parametrize("how", [*UNREAD, "no room", "other path"])
class TestRulesThatAreNotStrict:
    @pytest.mark.parametrize("condition", [Always(), BY_HEADER])
    def test_one_that_needs_no_body_restricts(self, desk: Any, how: str, condition: Condition) -> None:
        answer = passed(desk, how, rule(Action.RESTRICT, condition), x_team="legal")
        assert isinstance(answer.action, Reply)
        assert (answer.action.status, answer.decision.privacy_tier) == (503, "restricted")
        assert answer.decision.safety == ("guard=restrict",)

    @pytest.mark.parametrize("action", [Action.BLOCK, Action.REFUSE])
    def test_one_that_needs_no_body_blocks(self, desk: Any, how: str, action: Action) -> None:
        answer = passed(desk, how, rule(action, BY_HEADER), x_team="legal")
        assert isinstance(answer.action, Reply)
        assert (answer.action.status, answer.decision.reason) == (403, Reason.BLOCKED)

    @pytest.mark.parametrize("condition", [BY_BODY, Not(BY_BODY)])
    @pytest.mark.parametrize("action", [Action.BLOCK, Action.RESTRICT])
    def test_one_that_needs_the_body_is_given_up(
        self, desk: Any, how: str, action: Action, condition: Condition
    ) -> None:
        answer = passed(desk, how, rule(action, condition), x_team="legal")
        assert answer.action == PASSED
        assert [(signal.name, signal.absent) for signal in answer.decision.signals] == [("keyword", "unread")]

    def test_one_that_its_headers_do_not_fulfil_lets_it_pass(self, desk: Any, how: str) -> None:
        assert passed(desk, how, rule(Action.BLOCK, BY_HEADER), x_team="sales").action == PASSED


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/files/a"), ("DELETE", "/v1/files/a"), ("GET", "/v1/modelsx")]
)
def test_what_has_no_body_is_judged_by_its_headers_as_well(desk: Any, method: str, path: str, strict: bool) -> None:
    http = HttpRequest(method, path, {"x-team": "legal"}, None)

    def status(action: Action, condition: Condition, **changes: Any) -> int:
        readers = {kind: desk.reader(kind, **options) for kind, options in SIGNALS.items()}
        it = desk.router(readers=readers, safeguards=[rule(action, condition, strict=strict)], **changes)
        decision: Decision = desk.answer(http, it).decision
        return decision.status

    assert status(Action.RESTRICT, BY_HEADER) == 503
    assert status(Action.BLOCK, BY_HEADER) == 403
    assert status(Action.RESTRICT, BY_HEADER, unrouted="pass") == 503
    assert status(Action.RESTRICT, BY_BODY) == status(Action.BLOCK, BY_BODY) == 0


@pytest.mark.parametrize("how", [*UNREAD, "no room", "other path"])
def test_a_strict_rule_holds_back_whatever_is_not_read(desk: Any, how: str) -> None:
    answer = passed(desk, how, rule(Action.BLOCK, BY_BODY, strict=True))
    assert isinstance(answer.action, Reply)
    assert answer.action.status == (503 if how == "no room" else 415)
