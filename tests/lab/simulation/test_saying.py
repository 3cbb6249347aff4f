from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab.simulation import saying
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.simulation.saying import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.lab.simulation.asked import Asked


def test_by_default_it_names_model_and_cluster(ask: Callable[..., Asked]) -> None:
    said = say(ask(), Behaviour(), {})
    assert (said.text, len(said.tokens), said.finish, said.logprobs) == ("m on small says hello.", 5, "stop", ())


def test_good_answers_agree_and_bad_ones_do_not(ask: Callable[..., Asked]) -> None:
    one, other = ask(), ask(model="other")
    good, bad = Behaviour(answer="good"), Behaviour(answer="bad")
    right = [say(asked, good, {}).text.partition(saying.RIGHT)[2] for asked in (one, other)]
    wrong = [say(asked, bad, {}).text.partition(saying.WRONG)[2] for asked in (one, other)]
    assert right[0] == right[1] not in ("", *wrong)
    assert all(wrong)


def test_plain_answers_are_graded_by_skill_or_outcome(ask: Callable[..., Asked]) -> None:
    asked = ask("completions", prompt="[difficulty=0.5]")
    assert saying.RIGHT in say(asked, Behaviour(skill=0.9), {}).text
    assert saying.WRONG in say(asked, Behaviour(skill=0.1), {}).text
    assert saying.WRONG in say(asked, Behaviour(skill=0.9), {asked.prompt: False}).text


def test_the_length(ask: Callable[..., Asked]) -> None:
    filled = say(ask(), Behaviour(answer_tokens=40), {})
    assert (len(filled.tokens), filled.text[:22]) == (40, "m on small says hello.")
    assert len(say(ask(), Behaviour(answer_tokens=2), {}).tokens) == 5
    bounded = say(ask(max_tokens=3), Behaviour(), {})
    assert (bounded.text, bounded.finish) == ("m on small ", "length")
    assert say(ask(max_tokens=5), Behaviour(), {}).finish == "stop"
    truncated = say(ask(), Behaviour(answer="truncated"), {})
    assert (truncated.text, truncated.finish) == ("m on ", "length")


def test_the_other_kinds(ask: Callable[..., Asked]) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    asked = ask(tools=[{"function": {"name": "f", "parameters": schema}}], max_tokens=100)

    assert say(asked, Behaviour(answer="empty"), {}).tokens == ()
    assert say(asked, Behaviour(answer="hedging"), {}).text == saying.HEDGING
    assert say(asked, Behaviour(answer="refusal"), {}).finish == "stop"
    assert say(asked, Behaviour(answer="marked_refusal"), {}).finish == "refusal"
    assert json.loads(say(asked, Behaviour(answer="json"), {}).text) == {}
    call = say(asked, Behaviour(answer="tool_call"), {})
    assert (call.tool, json.loads(call.text), call.finish) == ("f", {"city": "a"}, "tool_calls")
    for kind in ("invalid_json", "broken_tool_call"):
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads(say(asked, Behaviour(answer=kind), {}).text)


def test_log_probabilities_come_where_they_are_asked_for(ask: Callable[..., Asked]) -> None:
    asked = ask(logprobs=True)
    said = say(asked, Behaviour(), {})
    assert len(said.logprobs) == len(said.tokens)
    assert said == say(asked, Behaviour(), {})
    assert say(asked, Behaviour(without_logprobs=True), {}).logprobs == ()
