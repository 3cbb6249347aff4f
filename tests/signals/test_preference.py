from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import ValidationError

from extproc_router.errors import EncoderTimeout, ModelTimeout
from extproc_router.signals import preference
from extproc_router.signals.base import Answers, Cost
from extproc_router.types import Ask, Encoding, Question, Signal

if TYPE_CHECKING:
    from extproc_router.errors import ShedError
    from extproc_router.signals.base import Resources
    from tests.signals.conftest import MakeSubject

LAW, CODE, CHAT = "law: contracts and their clauses", "code: programs and their bugs", "chat: nothing in particular"
ROUTES: list[dict[str, Any]] = [
    {"name": "contract-review", "description": LAW},
    {"name": "programming", "description": CODE, "examples": ["why does this loop not end"]},
    {"name": "small-talk", "description": CHAT},
]
MATCHER = {"url": "http://127.0.0.1:10001", "model": "arch"}
WORDS = {"law": 0, "contract": 0, "clause": 0, "code": 1, "loop": 1, "bug": 1, "chat": 2, "hello": 2}


def embed(text: str) -> tuple[float, ...]:
    """Know the words above; the rest is noise, and what all texts have in common."""
    noise = np.random.default_rng(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest()))
    vector = 0.1 * noise.normal(size=8)
    for word, axis in WORDS.items():
        vector[axis] += word in text
    vector[7] += 1.0
    return tuple((vector / np.linalg.norm(vector)).tolist())


@pytest.fixture
def make(resources: Resources) -> Any:
    def made(**options: Any) -> preference.Preference:
        written = preference.Options(kind="preference", **{"routes": ROUTES} | options)
        return preference.build("wish", written, replace(resources, embed=embed))

    return made


def encoded(*texts: str) -> dict[str, Encoding | ShedError]:
    return {text: Encoding({}, {}, 5, windowed=False, embedding=embed(text)) for text in texts}


def said(content: str) -> dict[str, bytes | ShedError]:
    return {"wish": json.dumps({"choices": [{"message": {"content": content}}]}).encode()}


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("is this clause of the contract risky?", "contract-review"),
        ("there is a bug in this loop", "programming"),
        ("hello hello", "small-talk"),
        ("how tall is the Eiffel Tower", "none"),
    ],
)
def test_the_route_that_fits_best_is_the_label(make: Any, subject: MakeSubject, text: str, route: str) -> None:
    reader = make()
    assert reader.asks(subject(text)) == (Ask(text, embedding=True),)
    signal = reader.read(subject(text), Answers(encoded(text)))
    assert (signal.label, signal.labels) == (route, frozenset({route}) - {"none"})
    assert 0.25 < signal.confidence <= 1.0
    assert reader.known == {"contract-review", "programming", "small-talk"}


def test_the_last_turn_weighs_most(make: Any, subject: MakeSubject) -> None:
    earlier, last = "my contract has an odd clause, what about it?", "now there is a bug in my code, look at it please"
    request, answers = subject(earlier, ("assistant", "well"), last), Answers(encoded(earlier, last))
    assert [ask.text for ask in make().asks(request)] == [last, earlier]
    assert [ask.text for ask in make(earlier=0).asks(request)] == [last]
    both, alone = make().read(request, answers), make(earlier=0).read(request, answers)
    assert both.label == alone.label == "programming"
    assert both.confidence < alone.confidence


def test_many_turns_are_read_newest_first(make: Any, subject: MakeSubject) -> None:
    turns = [f"turn {number}, long enough to stand on its own feet" for number in range(9)]
    assert [ask.text for ask in make(earlier=5).asks(subject(*turns))] == turns[:2:-1]


def test_a_lead_may_be_asked_for(make: Any, subject: MakeSubject) -> None:
    text = "a clause of the contract about bugs in the code"
    answers = Answers(encoded(text))
    assert make().read(subject(text), answers).label == "contract-review"
    assert make(margin=0.9).read(subject(text), answers).label == "none"
    assert make(at_least=0.99).read(subject(text), answers).label == "none"


def test_one_route_alone_has_no_second(make: Any, subject: MakeSubject) -> None:
    signal = make(routes=ROUTES[:1], margin=1.0).read(subject("a contract"), Answers(encoded("a contract")))
    assert signal.label == "contract-review"


def test_nothing_to_read_fits_nothing(make: Any, subject: MakeSubject) -> None:
    nothing = Signal("wish", "", 0.0)
    assert make(matcher=MATCHER).asks(subject()) == ()
    assert make(matcher=MATCHER).read(subject(), Answers()) == nothing
    illegible = Encoding({}, {}, 0, windowed=False, abstained=True)
    assert make().read(subject("?!"), Answers({"?!": illegible})) == nothing


def test_what_was_shed_is_told(make: Any, subject: MakeSubject) -> None:
    with pytest.raises(EncoderTimeout):
        make().read(subject("a contract"), Answers({"a contract": EncoderTimeout("late")}))


def test_a_matcher_is_asked_too_and_taken_at_its_word(make: Any, subject: MakeSubject) -> None:
    reader, request = make(matcher=MATCHER), subject("a contract")
    assert reader.cost is Cost.MODEL
    assert make().cost is Cost.ENCODER
    ask, question = reader.asks(request)
    assert ask == Ask("a contract", embedding=True)
    assert isinstance(question, Question)
    assert question.signal == "wish"
    assert json.loads(question.body)["model"] == "arch"
    answers = Answers({"a contract": EncoderTimeout("late")}, said('{"route": "small-talk"}'))
    assert reader.read(request, answers) == Signal("wish", "small-talk", 1.0, frozenset({"small-talk"}))
    none = Answers(encoded("a contract"), said('{"route": "none"}'))
    assert reader.read(request, none) == Signal("wish", "none", 1.0)


@pytest.mark.parametrize("words", [None, ModelTimeout("late"), "poetry", '{"route": "poetry"}'])
def test_where_it_has_no_word_the_encoder_decides_and_says_so(
    make: Any, subject: MakeSubject, words: str | ShedError | None
) -> None:
    answers = said(words) if isinstance(words, str) else {"wish": words} if words else {}
    signal = make(matcher=MATCHER).read(subject("a contract"), Answers(encoded("a contract"), answers))
    assert (signal.label, signal.labels) == ("contract-review (embedding)", frozenset({"contract-review"}))


def test_what_all_texts_have_in_common_decides_nothing(make: Any, subject: MakeSubject) -> None:
    text = "how tall is the Eiffel Tower"
    assert min(np.dot(embed(text), embed(route["description"])) for route in ROUTES) > 0.25
    assert make(at_least=0.25).read(subject(text), Answers(encoded(text))).label == "none"


@given(st.lists(st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8), min_size=1, max_size=2), st.floats(-1, 1))
def test_the_confidence_is_a_probability(
    resources: Resources, subject: MakeSubject, vectors: list[list[float]], least: float
) -> None:
    written = preference.Options(kind="preference", routes=ROUTES, at_least=least)  # type: ignore[arg-type]  # as in YAML
    reader = preference.build("wish", written, replace(resources, embed=embed))
    texts = [f"turn {number}, long enough to stand on its own feet" for number, _ in enumerate(vectors)]
    encodings: dict[str, Encoding | ShedError] = {
        text: Encoding({}, {}, 5, windowed=False, embedding=tuple(vector))
        for text, vector in zip(texts, vectors, strict=True)
    }
    signal = reader.read(subject(*texts), Answers(encodings))
    assert 0.0 <= signal.confidence <= 1.0
    assert signal.labels <= reader.known


@pytest.mark.parametrize(
    "options",
    [
        {"routes": []},
        {"routes": [{"name": "None", "description": "x"}]},
        {"routes": [*ROUTES, {"name": "Programming", "description": "x"}]},
        {"routes": [{"name": "a", "description": "  "}]},
        {"routes": [{"name": "a", "description": "x", "examples": ["y"] * 21}]},
        {"at_least": 1.5},
        {"margin": -0.5},
        {"earlier": 6},
        {"matcher": {"model": "arch"}},
    ],
)
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        preference.Options(kind="preference", **{"routes": ROUTES} | options)
