from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace

from extproc_router.errors import ShedError
from extproc_router.lab.hunt import answering, requests
from extproc_router.lab.hunt.answering import Flaky
from extproc_router.lab.hunt.faults import Faults
from extproc_router.lab.hunt.sources import ROUTE_WORDS
from extproc_router.router import Plan
from extproc_router.signals import KINDS
from extproc_router.signals.base import NO_ANSWERS, Subject
from extproc_router.types import Ask, Encoding, Flag, Question, Request

CASE = requests.draw(random.Random(3), {}, ("low", "high"), ("auto",))
ASKS = (Ask("one", answering.HEADS, embedding=True), Ask("another", frozenset({"domain"})))


def answered(**faults: Any) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    case = replace(CASE, faults=Faults(**faults), heads=replace(CASE.heads, abstains=False))
    plan = Plan(ASKS, (Question("judge", b"{}"),), None)  # type: ignore[arg-type]
    answers, told = answering.answer(case, plan)
    assert (told.asks, told.questions) == (plan.asks, plan.questions)
    return dict(answers.encodings), dict(answers.said), told.answered


def test_an_encoder_that_works_says_what_it_is_asked() -> None:
    encodings, said, told = answered()
    assert encodings["one"].heads.keys() == answering.HEADS
    assert encodings["another"].heads.keys() == {"domain"}
    assert told == {"one", "another"}
    assert b"contracts" in said["judge"]


@pytest.mark.parametrize("encoder", ["dead", "late", "overloaded"])
def test_an_encoder_that_fails_answers_nothing(encoder: str) -> None:
    encodings, _, told = answered(encoder=encoder)
    assert all(isinstance(encoding, ShedError) for encoding in encodings.values())
    assert told == frozenset()


def test_other_faults() -> None:
    assert answered(encoder="silent") == ({}, answered()[1], frozenset())
    assert "domain" not in answered(lost=frozenset({"domain"}))[0]["one"].heads
    assert answered(confused={"domain": Flag(0.9, True)})[0]["another"].heads == {"domain": Flag(0.9, True)}
    assert answered(matcher="silent")[1] == {}
    assert isinstance(answered(matcher="error")[1]["judge"], ShedError)
    assert isinstance(answered(matcher="garbage")[1]["judge"], bytes)


def test_some_texts_are_left_out_and_always_the_same() -> None:
    case = replace(CASE, faults=Faults(encoder="texts"))
    plan = Plan(tuple(Ask(f"text {number}") for number in range(40)), (), None)  # type: ignore[arg-type]
    first, second = answering.answer(case, plan)[1], answering.answer(case, plan)[1]
    assert first.answered == second.answered
    assert 0 < len(first.answered) < 40
    assert [ok for ok, _, _ in first.told()] == [ask.text in first.answered for ask in plan.asks]


def test_texts_are_alike_by_the_words_of_routes_alone() -> None:
    assert not any(answering.embed("what is the capital of Kenya"))
    assert sum(value * value for value in answering.embed(" ".join(ROUTE_WORDS[:2]))) == pytest.approx(1)
    assert answering.embed(f"about {ROUTE_WORDS[0]}") == answering.embed(f"{ROUTE_WORDS[0]}, please")


def test_a_reader_breaks_for_a_while() -> None:
    kind = KINDS["domain"]
    reader = kind.build("domain", kind.options.model_validate({"kind": "domain"}), answering.resources())
    broken: dict[str, str] = {}
    flaky = Flaky(reader, broken)
    assert (flaky.name, flaky.cost, flaky.known, flaky.floor) == ("domain", reader.cost, reader.known, 0.5)
    request = Request("chat_completions", "", (0, 0), (), stream=False, modalities=frozenset(), tools=False)
    subject = Subject({}, request)
    assert flaky.read(subject, NO_ANSWERS) == reader.read(subject, NO_ANSWERS)
    broken["domain"] = "asks"
    with pytest.raises(ValueError, match="a fault"):
        flaky.asks(subject)
    broken["domain"] = "read"
    assert flaky.asks(subject) == ()
    with pytest.raises(RuntimeError):
        flaky.read(subject, NO_ANSWERS)
    broken["domain"] = "nan"
    assert flaky.read(subject, NO_ANSWERS).confidence != flaky.read(subject, NO_ANSWERS).confidence


def test_what_is_answered_is_an_encoding() -> None:
    assert isinstance(answered()[0]["one"], Encoding)
