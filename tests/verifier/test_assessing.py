from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from extproc_router.attempts import Heard, Verdict, Verification
from extproc_router.verifier import assessing
from extproc_router.verifier.assessing import Weigh, Weighed

if TYPE_CHECKING:
    from extproc_router.verifier.verdicts import Judge

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 8, ("weak",), ((1.0, 2.0),), strips_logprobs=True)
MESSAGE = {"role": "assistant", "content": "four"}
CHOICE = {"index": 0, "message": MESSAGE, "logprobs": {"content": [{"logprob": -0.5}]}, "finish_reason": "stop"}
BODY = json.dumps({"choices": [CHOICE]}).encode()
VERDICT = Verdict(0.9, accepted=True)


class Spy:
    def __init__(self) -> None:
        self.asked: list[tuple[Heard, bool]] = []

    def judge(self, heard: Heard, asked: Verification, *, partial: bool = False) -> Verdict:
        self.asked.append((heard, partial))
        if heard.text == "broken":
            raise ValueError(heard.text)
        return VERDICT


def weigh(wanted: Weigh) -> tuple[Weighed, Spy]:
    spy = Spy()
    return assessing.weigh(cast("Judge", spy), wanted), spy


def test_a_whole_answer_is_read_stripped_and_judged() -> None:
    weighed, spy = weigh(Weigh(ASKED, BODY))
    [(heard, partial)] = spy.asked
    assert (heard.text, heard.tokens, partial) == ("four", (-0.5,), False)
    assert weighed.heard == heard
    assert weighed.verdict is VERDICT
    stripped: Any = json.loads(weighed.body or b"")
    assert stripped["choices"][0]["logprobs"] is None


def test_what_was_heard_is_judged_as_it_is() -> None:
    heard = Heard(text="so far")
    weighed, spy = weigh(Weigh(ASKED, None, heard, partial=True))
    assert spy.asked == [(heard, True)]
    assert weighed == Weighed(heard, None, VERDICT)


def test_what_is_not_to_be_judged_is_read_and_stripped() -> None:
    weighed, spy = weigh(Weigh(ASKED, BODY, judged=False))
    assert spy.asked == []
    assert weighed.heard.text == "four"
    assert weighed.verdict is None


def test_a_judge_that_fails_costs_the_verdict_alone() -> None:
    weighed, _ = weigh(Weigh(ASKED, BODY.replace(b"four", b"broken")))
    assert weighed.verdict is None
    assert isinstance(weighed.failure, ValueError)
    assert weighed.body is not None
    assert b"-0.5" not in weighed.body
