from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from extproc_router.lab.hunt import policies, requests, walking
from extproc_router.lab.hunt.faults import Faults
from extproc_router.lab.hunt.requests import Shape
from extproc_router.lab.hunt.walking import Desk, Walk
from extproc_router.router import Router
from extproc_router.types import Mutation


@pytest.fixture
def desk() -> Desk:
    return Desk(policies.draw(random.Random(5)))


def readable(desk: Desk) -> requests.Case:
    rng, policy = random.Random(1), desk.policy
    drawn = (requests.draw(rng, policy.sources, policy.tiers, ("auto",)) for _ in range(50))
    case = next(case for case in drawn if case.shape is Shape.READ and "x-privacy-tier" not in case.http.headers)
    return replace(case, faults=Faults())


def test_a_case_is_walked_to_its_answer(desk: Desk) -> None:
    case = readable(desk)
    walked = walking.walk(desk, case)
    assert walked.answer is not None
    assert walked == walking.walk(Desk(desk.policy), case)
    assert [*walking.leaks(desk, case, walked)] == []


def test_a_request_without_room_is_shed(desk: Desk) -> None:
    case = readable(desk)
    walked = walking.walk(desk, replace(case, faults=Faults(no_room=True), shape=Shape.UNREAD))
    assert walked.answer is not None
    assert walked.rounds == ()
    assert walked.answer.decision.why == "no room"


def test_what_comes_to_no_answer_leaks(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case = readable(desk)
    monkeypatch.setattr(Router, "read", lambda *_: 1 / 0)
    walked = walking.walk(desk, case)
    assert walked == Walk(None, (), "ZeroDivisionError: division by zero")
    assert [*walking.leaks(desk, case, walked)] == ["it comes to no answer: ZeroDivisionError: division by zero"]


def test_what_the_proof_does_not_foresee_leaks(desk: Desk) -> None:
    case = readable(desk)
    walked = walking.walk(desk, case)
    assert walked.answer is not None
    tier = walked.answer.decision.privacy_tier
    assert {name for _, _, name in desk.emissions(tier)} <= desk.policy.servers.keys()
    if isinstance(walked.answer.action, Mutation):
        bent = replace(walked.answer, decision=replace(walked.answer.decision, rule="nobody's"))
        found = [*walking.leaks(desk, case, replace(walked, answer=bent))]
        assert any("the proof does not foresee" in one for one in found)
