"""What every kind of signal keeps to, whatever it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from extproc_router.errors import EncoderTimeout, ShedError
from extproc_router.signals import BUILT_IN, KINDS
from extproc_router.signals.base import NO_ANSWERS, Answers, Cost, Subject
from extproc_router.types import Ask, Classification, Encoding, Flag, HeadAnswer, Modality, Pair, Request, Span, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.signals.base import Reader
    from extproc_router.types import Signal
    from tests.signals.conftest import Build, MakeSubject

# Options with which a kind has something to find, and what it costs then.
SAMPLES: dict[str, tuple[dict[str, Any], Cost]] = {
    "keyword": ({"keywords": {"legal": ["merger", "契約"], "odd": ["a", "é"]}, "of": "everything"}, Cost.TEXT),
    "regex": ({"patterns": {"digits": r"\d", "letters": r"(?i)[a-zé]+z?"}, "of": "incoming"}, Cost.TEXT),
    "length": ({}, Cost.TEXT),
    "context": ({}, Cost.TEXT),
    "language": ({}, Cost.TEXT),
    "modality": ({}, Cost.FACT),
    "tools": ({}, Cost.FACT),
    "header": ({"header": "x-tenant", "values": ["gold", "0"]}, Cost.FACT),
    "claim": ({"claim": "tier"}, Cost.FACT),
    "stream": ({}, Cost.FACT),
    "latency_class": ({}, Cost.FACT),
    "conversation": ({}, Cost.TEXT),
    "pii": ({}, Cost.ENCODER),
    "preference": (
        {"routes": [{"name": "law", "description": "contracts"}, {"name": "code", "description": "programs"}]},
        Cost.ENCODER,
    ),
    "jailbreak": ({}, Cost.ENCODER),
    "domain": ({}, Cost.ENCODER),
    "difficulty": ({}, Cost.ENCODER),
    "reasoning": ({}, Cost.ENCODER),
}
HEADS: dict[str, Callable[[str], HeadAnswer]] = {
    "domain": lambda _: Classification("law", 0.6, {"law": 0.6, "math": 0.3, "other": 0.1}),
    "jailbreak": lambda text: Flag(0.9, raised=len(text) % 2 == 0),
    "reasoning": lambda text: Flag(0.6, raised=len(text) % 2 == 0),
    "difficulty": lambda _: Pair(0.8, 0.4, 0.7),
    "pii": lambda text: (Span(0, len(text), "PERSON", 0.9),),
}
SHED = EncoderTimeout("late")

_texts = st.text(max_size=40) | st.sampled_from(
    ["merger 1", "mail ada@example.com", "Please review this contract for me."]
)
_requests = st.builds(
    Request,
    api=st.just("chat_completions"),
    model=_texts,
    model_span=st.just((0, 0)),
    turns=st.lists(
        st.builds(Turn, st.sampled_from(["system", "developer", "user", "assistant", "tool"]) | _texts, _texts),
        max_size=4,
    ).map(tuple),
    stream=st.booleans(),
    modalities=st.frozensets(st.sampled_from(Modality)),
    tools=st.booleans(),
    called=st.booleans(),
    max_tokens=st.none() | st.integers(min_value=1),
    service_tier=st.sampled_from(["", "flex", "priority"]) | _texts,
)
_headers = st.dictionaries(
    st.sampled_from(["x-tenant", "x-jwt-payload", "x-latency-class", "x-other"]),
    st.sampled_from(["gold", "gold, 0", "batch", "eyJ0aWVyIjoiZ29sZCJ9"]) | _texts,
)


def replied(reader: Reader, subject: Subject) -> Answers:
    """Answer everything that is asked, as an encoder would."""
    asks = [ask for ask in reader.asks(subject) if isinstance(ask, Ask)]
    return Answers({
        ask.text: Encoding(
            {head: HEADS[head](ask.text) for head in ask.heads},
            dict.fromkeys(ask.heads, 0),
            tokens=9,
            windowed=False,
            abstained=not ask.text.isascii(),
            embedding=(0.6, 0.8, 0.0) if ask.embedding else None,
        )
        for ask in asks
    })  # fmt: skip


def read(reader: Reader, subject: Subject) -> Signal | str:
    """Read a signal; the name of the error where it cannot be read."""
    try:
        return reader.read(subject, replied(reader, subject))
    except ValueError as error:
        return type(error).__name__


def test_every_kind_has_its_sample() -> None:
    assert set(KINDS) == set(SAMPLES)


@pytest.fixture(scope="module", params=SAMPLES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def reader(kind: str, build: Build) -> Reader:
    return build(kind, **SAMPLES[kind][0])


def test_what_it_says_of_itself_is_so(reader: Reader, kind: str) -> None:
    assert reader.name == kind
    assert reader.cost is SAMPLES[kind][1]
    assert 0 <= reader.floor <= 1
    assert reader.known is None or isinstance(reader.known, frozenset)
    assert reader.numeric or reader.known != frozenset()


@settings(max_examples=60)
@given(_requests, _headers)
def test_what_it_says_of_a_request_is_what_it_may_say(
    reader: Reader, request_: Request, headers: dict[str, str]
) -> None:
    subject = Subject(headers, request_)
    if reader.cost < Cost.ENCODER:
        assert reader.asks(subject) == ()
    signal = read(reader, subject)
    if isinstance(signal, str):
        assert reader.name == "claim"  # nothing else that a client writes is garbage
        return
    assert signal.name == reader.name
    assert 0 <= signal.confidence <= 1
    assert signal.absent == ""
    assert reader.known is None or signal.labels <= reader.known
    assert signal.number is None or reader.numeric


@settings(max_examples=30)
@given(_requests, _headers)
def test_it_is_a_function_of_the_request(reader: Reader, request_: Request, headers: dict[str, str]) -> None:
    before = dict(headers)
    first, second = Subject(headers, request_), Subject(headers, request_)
    assert reader.asks(first) == reader.asks(first) == reader.asks(second)
    assert read(reader, first) == read(reader, first) == read(reader, second)
    assert headers == before


def test_a_request_without_text_asks_nothing_and_is_not_absent(reader: Reader, subject: MakeSubject) -> None:
    for empty in (subject(), subject(""), subject(" \n", ("system", ""))):
        assert reader.asks(empty) == ()
        signal = reader.read(empty, NO_ANSWERS)
        assert signal.absent == ""
        assert not signal.labels or reader.cost < Cost.ENCODER


def test_nothing_that_the_client_wrote_is_shown(reader: Reader, subject: MakeSubject) -> None:
    marker = "Zebra7 merger a1 zebra7@example.com"
    headers = dict.fromkeys(("x-tenant", "x-latency-class", "x-other"), marker) | {
        "x-jwt-payload": "eyJ0aWVyIjoiemVicmE3In0"  # {"tier":"zebra7"}
    }
    seen = subject(("system", marker), ("user", marker), (marker, marker), headers=headers, service_tier=marker)
    assert "zebra" not in reader.read(seen, replied(reader, seen)).label.lower()


def test_what_was_shed_is_raised_and_not_guessed(reader: Reader, subject: MakeSubject) -> None:
    seen = subject("Please review this contract for me, and find its risks.")
    asks = reader.asks(seen)
    assert bool(asks) is (reader.cost >= Cost.ENCODER)
    if asks:
        shed = Answers({ask.text: SHED for ask in asks if isinstance(ask, Ask)})
        with pytest.raises(ShedError):
            reader.read(seen, shed)


def test_its_options_are_strict_and_explained(kind: str) -> None:
    options, sample = KINDS[kind].options, SAMPLES[kind][0]
    with pytest.raises(ValidationError, match="extra_forbidden"):
        options.model_validate({"kind": kind, **sample, "colour": "red"})
    with pytest.raises(ValidationError, match="kind"):
        options.model_validate({**sample, "kind": "another"})
    properties = options.model_json_schema()["properties"]
    assert [name for name, member in properties.items() if name != "kind" and "description" not in member] == []


@pytest.mark.parametrize("kind", BUILT_IN)
def test_what_is_built_in_needs_no_option(build: Build, kind: str) -> None:
    assert build(kind).name == kind
