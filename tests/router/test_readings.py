from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.errors import EncoderTimeout, ModelFailed
from extproc_router.policy.conditions import PENDING_SIGNAL
from extproc_router.router.readings import Readings
from extproc_router.signals import KINDS
from extproc_router.signals.base import Answers, Cost, Resources, Subject
from extproc_router.types import Ask, Encoding, Evidence, Pair, Question, Request, Signal, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECT = Subject({}, Request("chat_completions", "", (0, 0), (), False, frozenset(), False))
HEADS = frozenset({"h"})


def encoding(*heads: str) -> Encoding:
    return Encoding({}, dict.fromkeys(heads, 1), 1, windowed=False)


@pytest.fixture
def readings(desk: Any) -> Callable[..., Readings]:
    def make(**stubs: Any) -> Readings:
        return Readings({name: desk.Stub(name, **members) for name, members in stubs.items()}, SUBJECT)

    return make


class TestAtHand:
    """What is known of a prompt anyway goes to the verifier; nobody is asked for it."""

    @pytest.fixture
    def pair(self) -> Readings:
        resources = Resources(frozenset({"difficulty", "jailbreak"}), (), 0.5, lambda _: ())
        readers = {
            kind: KINDS[kind].build(kind, KINDS[kind].options.model_validate({"kind": kind}), resources)
            for kind in ("jailbreak", "difficulty")
        }
        asked = Request("chat_completions", "", (0, 0), (Turn("user", "t"),), False, frozenset(), False)
        return Readings({"hard": readers.pop("difficulty"), **readers}, Subject({}, asked))

    def test_it_is_the_number_of_a_signal_that_asks_the_head(self, pair: Readings) -> None:
        assert pair.at_hand("difficulty") is None
        assert pair.read("hard") is PENDING_SIGNAL
        assert pair.at_hand("difficulty") is None
        pair.asks(["hard"])
        pair.take(Answers({"t": Encoding({"difficulty": Pair(0.9, 0.2, 0.8)}, {"difficulty": 1}, 1, windowed=False)}))
        assert pair.at_hand("difficulty") is None, "nobody has read it"
        pair.read("hard")
        assert pair.at_hand("difficulty") == 0.8
        assert pair.at_hand("jailbreak") is None

    def test_what_could_not_be_read_is_not_at_hand(self, pair: Readings) -> None:
        pair.asks(["hard"])
        pair.take(Answers({"t": EncoderTimeout("late")}))
        pair.read("hard")
        assert pair.at_hand("difficulty") is None


class TestRead:
    def test_each_signal_is_read_once(self, desk: Any) -> None:
        stub = desk.Stub("a")
        readings = Readings({"a": stub}, SUBJECT)
        assert readings.read("a") is readings.read("a")
        assert stub.reads == 1

    def test_what_is_cheap_asks_nothing(self, readings: Any) -> None:
        it = readings(a={"cost": Cost.TEXT})
        assert it.read("a").labels == {"x"}

    def test_what_the_encoder_has_to_read_waits(self, readings: Any) -> None:
        it = readings(a={"cost": Cost.ENCODER, "asked": (Ask("t", HEADS),)})
        assert it.read("a") is PENDING_SIGNAL
        assert it.asks(["a"]) == ((Ask("t", HEADS),), ())
        it.take(Answers({"t": encoding("h")}))
        assert it.read("a").labels == {"x"}
        assert it.asks(["a"]) == ((), ())

    def test_with_nothing_to_ask_it_is_read_at_once(self, readings: Any) -> None:
        assert readings(a={"cost": Cost.ENCODER}).read("a").labels == {"x"}

    @pytest.mark.parametrize(
        ("stub", "cause"),
        [
            ({"said": ValueError("the prompt")}, "ValueError"),
            ({"said": EncoderTimeout("the prompt")}, "timeout"),
            ({"said": KeyError("the prompt")}, "KeyError"),
            ({"said": RecursionError("the prompt")}, "RecursionError"),
            ({"cost": Cost.ENCODER, "asked": ValueError("the prompt")}, "ValueError"),
            ({"cost": Cost.MODEL, "asked": ModelFailed("the prompt")}, "judge_failed"),
            ({"said": Signal("a", "", float("nan"))}, "ValueError"),
            ({"said": Signal("a", "", 1.0, number=float("nan"))}, "ValueError"),
        ],
    )
    def test_whatever_it_raises_it_is_absent_and_quotes_nothing(
        self, readings: Any, stub: dict[str, Any], cause: str
    ) -> None:
        it = readings(a=stub)
        assert it.read("a") == Signal("a", "", 0.0, absent=cause)
        assert it.read("a").absent == cause
        assert "prompt" not in repr(it.evidence())

    def test_an_answer_that_was_not_given_leaves_it_absent(self, readings: Any) -> None:
        it = readings(a={"cost": Cost.ENCODER, "asked": (Ask("t", HEADS),)})
        it.asks(["a"])
        it.take(Answers({"t": EncoderTimeout("late")}))
        assert it.read("a").absent == "timeout"


class TestAsks:
    def test_a_text_is_asked_once_for_all(self, readings: Any) -> None:
        it = readings(
            a={"cost": Cost.ENCODER, "asked": (Ask("t", HEADS), Ask("u", HEADS))},
            b={"cost": Cost.ENCODER, "asked": (Ask("t", frozenset({"i"})),)},
            c={"cost": Cost.ENCODER, "asked": (Ask("t", embedding=True),)},
        )
        asks, questions = it.asks(["c", "a", "b"])
        assert asks == (Ask("t", frozenset({"h", "i"}), embedding=True), Ask("u", HEADS))
        assert questions == ()

    def test_questions_are_asked_beside_texts(self, readings: Any) -> None:
        question = Question("a", b"?")
        it = readings(a={"cost": Cost.MODEL, "asked": (Ask("t", embedding=True), question)})
        assert it.asks(["a"]) == ((Ask("t", embedding=True),), (question,))
        it.take(Answers({"t": encoding()}))
        assert it.read("a") is PENDING_SIGNAL
        assert it.asks(["a"]) == ((), (question,))
        it.take(Answers(said={"a": b"!"}))
        assert it.read("a").labels == {"x"}

    def test_a_later_ask_of_the_same_text_repeats_the_earlier_one(self, readings: Any) -> None:
        it = readings(
            a={"cost": Cost.ENCODER, "asked": (Ask("t", HEADS),)},
            b={"cost": Cost.ENCODER, "asked": (Ask("t", frozenset({"i"})),)},
            c={"cost": Cost.ENCODER, "asked": (Ask("t", HEADS),)},
        )
        it.asks(["a"])
        it.take(Answers({"t": encoding("h")}))
        assert it.read("c").labels == {"x"}
        assert it.read("b") is PENDING_SIGNAL
        assert it.asks(["b"]) == ((Ask("t", frozenset({"h", "i"})),), ())


class TestCount:
    def test_each_tokenizer_counts_once(self, readings: Any) -> None:
        texts: list[str] = []

        def count(text: str) -> int:
            texts.append(text)
            return 7

        it = readings()
        assert it.count(count) == it.count(count) >= 7
        assert len(texts) == 1

    def test_without_one_or_with_one_that_raises_it_is_not_known(self, readings: Any) -> None:
        def count(_: str) -> int:
            raise ValueError("the prompt")

        assert readings().count(None) is readings().count(count) is None


class TestEvidence:
    def test_it_tells_what_was_read_in_that_order(self, readings: Any) -> None:
        it = readings(a={}, b={"cost": Cost.ENCODER, "asked": (Ask("t", HEADS),)}, c={}, d={})
        for name in "cba":
            it.read(name)
        assert [evidence.name for evidence in it.evidence()] == ["c", "a"]
        assert it.evidence()[0] == Evidence("c", "x", 1.0, ("x",), 1.0)

    def test_labels_that_only_the_client_knows_are_not_kept(self, readings: Any) -> None:
        it = readings(a={"known": None, "said": Signal("a", "set", 1.0, frozenset({"acme"}))})
        assert it.read("a").labels == {"acme"}
        assert it.evidence() == (Evidence("a", "set", 1.0),)
