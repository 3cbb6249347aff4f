from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import EncoderFailed
from extproc_router.evaluation import scoring
from extproc_router.types import Classification, Encoding, Flag, Pair, Span

if TYPE_CHECKING:
    from collections.abc import Collection

    from extproc_router.types import HeadAnswer

HEADS: dict[str, HeadAnswer] = {
    "domain": Classification("math", 0.75, {"math": 0.75, "law": 0.25}),
    "difficulty": Pair(0.9, 0.4, 0.75),
    "reasoning": Flag(0.123456789, raised=False),
    "jailbreak": Flag(0.9, raised=True),
    "pii": (Span(0, 3, "PERSON", 0.99), Span(7, 9, "AGE", 2 / 3)),
}


class Fake:
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Collection[str] | None, bool, bool]] = []

    def encode(
        self, text: str, signals: Collection[str] | None = None, *, tiers: bool = True, embedding: bool = False
    ) -> Encoding:
        self.asked.append((text, signals, tiers, embedding))
        if text == "fail":
            raise EncoderFailed("out of luck")
        heads = {name: answer for name, answer in HEADS.items() if signals is None or name in signals}
        return Encoding(
            heads=heads,
            tiers=dict.fromkeys(heads, 1),
            tokens=3,
            windowed=False,
            abstained=not text,
            embedding=(1 / 3, 0.5) if embedding else None,
        )


def score(*rows: object, options: scoring.Options | None = None) -> tuple[list[Any], list[tuple[int, str]], Fake]:
    encoder, bad = Fake(), list[tuple[int, str]]()
    numbered = iter(
        [
            (number, row if isinstance(row, bytes) or row is None else json.dumps(row).encode())
            for number, row in enumerate(rows, start=1)
        ]
    )
    clock = iter(range(1000))
    out = scoring.score(
        numbered, encoder, options or scoring.Options(), lambda *why: bad.append(why), lambda: next(clock) / 8
    )
    return [json.loads(line) for line in out], bad, encoder


def test_every_kind_of_answer_has_its_shape() -> None:
    [line], bad, _ = score({"id": "a", "text": "hello"})
    assert bad == []
    assert line == {
        "id": "a",
        "domain": {"label": "math", "confidence": 0.75, "probs": {"math": 0.75, "law": 0.25}},
        "difficulty": {"strong": 0.9, "weak": 0.4, "score": 0.75},
        "reasoning": {"p": 0.123457, "flag": False},
        "jailbreak": {"p": 0.9, "flag": True},
        "pii": [
            {"start": 0, "end": 3, "type": "PERSON", "score": 0.99},
            {"start": 7, "end": 9, "type": "AGE", "score": 0.666667},
        ],
        "tier": 1,
        "ms": 125.0,
    }
    assert next(iter(line)) == "id"


def test_only_what_was_asked_is_computed_and_said() -> None:
    options = scoring.Options(signals=("jailbreak",), tiers=False, embedding=True)
    [line], _, encoder = score({"text": "hello"}, options=options)
    assert set(line) == {"id", "jailbreak", "embedding", "tier", "ms"}
    assert line["embedding"] == [0.333333, 0.5]
    assert encoder.asked == [("hello", ("jailbreak",), False, True)]


def test_an_abstention_is_stated() -> None:
    [line], _, _ = score({"text": ""})
    assert line["abstained"] is True


@pytest.mark.parametrize(
    "written", ["1", "1.0", "-0", "1e400", "123456789012345678901234567890", '"a\\u00e9"', "true", "null", '""']
)
def test_an_id_comes_back_as_it_was(written: str) -> None:
    encoder = Fake()
    line = f'{{"id": {written}, "text": "x"}}'.encode()
    [out] = scoring.score(iter([(1, line)]), encoder, scoring.Options(), print)
    assert out.startswith(f'{{"id": {written}, "domain"')


def test_without_an_id_it_is_the_lines_number() -> None:
    lines, _, _ = score({"text": "a"}, {"text": "b"})
    assert [line["id"] for line in lines] == [1, 2]


def test_messages_are_read_as_the_router_reads_them() -> None:
    parts = [{"type": "image_url", "image_url": {}}, {"type": "text", "text": "and the second part?"}, 5]
    _, bad, encoder = score(
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "x" * 50}]},
        {"messages": [{"role": "user", "content": "x" * 50}, {"role": "user", "content": parts}]},
        {"messages": [{"role": "assistant", "content": None}]},
        {"messages": []},
    )
    assert bad == []
    assert [asked[0] for asked in encoder.asked] == ["x" * 50, "x" * 50 + "\nand the second part?", "", ""]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (None, "too long"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id": NaN, "text": "x"}', "NaN"),
        ([], "not an object"),
        ({"id": 1}, "no text"),
        ({"text": 5}, "no text"),
        ({"text": "a", "messages": []}, "both"),
        ({"id": [], "text": "a"}, "the id"),
        ({"messages": "a"}, "not a list"),
        ({"messages": ["a"]}, r"messages\[0\] is not an object"),
        ({"messages": [{"role": "user", "content": "a"}, {"content": "a"}]}, r"messages\[1\] has no role"),
        ({"messages": [{"role": 3, "content": "a"}]}, r"messages\[0\] has no role"),
        ({"messages": [{"role": "user", "content": 3}]}, r"neither a string nor a list"),
        ({"text": "fail"}, "out of luck"),
    ],
)
def test_a_bad_line_is_told_and_the_next_is_scored(row: object, why: str) -> None:
    lines, bad, _ = score({"text": "a"}, row, {"text": "b"})
    assert [line["id"] for line in lines] == [1, 3]
    [(number, reason)] = bad
    assert number == 2
    with pytest.raises(ValueError, match=why):
        raise ValueError(reason)


@given(st.text(alphabet=st.characters(), max_size=30), st.text(max_size=5))
def test_any_text_is_scored(text: str, name: str) -> None:
    lines, bad, encoder = score({"id": name, "text": text})
    assert bad == []
    assert encoder.asked[0][0] == text
    assert lines[0]["id"] == name


def test_surrogates_that_have_lost_their_pair_are_text() -> None:
    lines, bad, encoder = score(b'{"id": "\\udc00", "text": "a\\ud83d\\u0000"}')
    assert (lines[0]["id"], bad, encoder.asked[0][0]) == ("\udc00", [], "a\ud83d\x00")


@given(st.binary(max_size=40))
def test_any_bytes_are_an_item_or_a_stated_reason(line: bytes) -> None:
    try:
        scoring.parse(line, 1)
    except ValueError as error:
        assert str(error)


def attack(text: str) -> dict[str, Any]:
    return {
        "messages": [{"role": "tool", "content": text}, {"role": "user", "content": "and what does the page say now?"}]
    }


class Wary(Fake):
    """Sees an attack where it is spelled out."""

    def encode(
        self, text: str, signals: Collection[str] | None = None, *, tiers: bool = True, embedding: bool = False
    ) -> Encoding:
        encoding = super().encode(text, signals, tiers=tiers, embedding=embedding)
        p = 0.75 if "attack" in text else 0.125
        return msgspec.structs.replace(encoding, heads={**encoding.heads, "jailbreak": Flag(p, raised=p > 0.5)})


@pytest.mark.parametrize(("text", "p"), [("an attack", 0.75), ("the weather", 0.125)])
def test_an_attack_counts_in_any_turn(text: str, p: float) -> None:
    encoder = Wary()
    [line] = scoring.score(iter([(1, json.dumps(attack(text)).encode())]), encoder, scoring.Options(), print)
    assert json.loads(line)["jailbreak"] == {"p": p, "flag": p > 0.5}
    assert [asked for _, asked, _, _ in encoder.asked] == [None, ("jailbreak",)]


def test_a_lone_text_is_read_once() -> None:
    encoder = Wary()
    list(scoring.score(iter([(1, b'{"text": "an attack"}')]), encoder, scoring.Options(), print))
    assert len(encoder.asked) == 1
