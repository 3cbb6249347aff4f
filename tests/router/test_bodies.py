from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from extproc_router.dialects import Edit, apply
from extproc_router.policy.engine import Choice
from extproc_router.policy.rules import Edits
from extproc_router.router import Opened
from extproc_router.router.bodies import Bodies
from extproc_router.types import Reason


@pytest.fixture
def opened(desk: Any) -> Opened:
    read = desk.router().open(desk.post(desk.chat("auto", "secret", stream=True)), "id1")
    assert isinstance(read, Opened)
    return read


def test_a_body_is_for_one_model_and_has_what_the_rule_and_redaction_change(desk: Any, opened: Opened) -> None:
    choice = Choice((desk.SMALL,), Reason.RULE, "", edits=Edits(max_tokens=7))
    at = opened.body.index(b"secret")
    bodies = Bodies(opened, choice, (Edit(at, at + 6, b"<X>"),))
    edits, changes = bodies.edits(desk.LARGE, judged=False)
    body = apply(opened.body, edits)
    assert b'"org/large"' in body
    assert b'"max_completion_tokens":7' in body
    assert b"<X>" in body
    assert b"secret" not in body
    assert changes == ("model", "max_tokens<=7")


def test_a_judged_answer_brings_what_it_is_judged_and_counted_by(desk: Any, opened: Opened) -> None:
    bodies = Bodies(opened, Choice((desk.SMALL,), Reason.RULE, ""), ())
    assert bodies.edits(desk.SMALL, judged=True, billed=True)[1] == ("model", "logprobs", "include_usage")
    mute = replace(desk.SMALL, logprobs=False)
    assert bodies.edits(mute, judged=True, billed=True)[1] == ("model", "include_usage")
