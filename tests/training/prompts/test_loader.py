from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import StartupError
from extproc_router.training.data import Split
from extproc_router.training.prompts import loader
from extproc_router.training.prompts.loader import Example, Register

ROW: dict[str, Any] = {
    "text": "how long do eggs take",
    "label": 0,
    "family": "lookup",
    "lang": "en",
    "register": "chat",
    "group": "lookup-001",
}
LABELS: frozenset[int | str] = frozenset({0, 1})


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_row_becomes_an_example() -> None:
    [example] = loader.parse(lines(ROW), "f.jsonl", LABELS)
    assert example == Example("how long do eggs take", 0, "lookup", "en", Register.CHAT, "lookup-001")


def test_order_is_that_of_the_file_and_the_last_newline_may_be_missing() -> None:
    content = lines(ROW, ROW | {"text": "and potatoes"}).removesuffix(b"\n")
    assert [example.text for example in loader.parse(content, "f", LABELS)] == ["how long do eggs take", "and potatoes"]


def test_an_empty_file_has_no_examples() -> None:
    assert loader.parse(b"", "f", LABELS) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": " \n"}, "blank text"),
        ({"label": 2}, "label 2 is not one of 0, 1"),
        ({"label": "math"}, "label 'math' is not one of 0, 1"),
        ({"lang": "eng"}, "lang 'eng' is no two-letter code"),
        ({"register": "shouting"}, "register"),
        ({"group": "Lookup 1"}, "group 'Lookup 1' is no lower-case slug"),
        ({"family": ""}, "family '' is no lower-case slug"),
        ({"note": "x"}, "unknown field `note`"),
        ({"text": 3}, "Expected `str`"),
        ({"text": "How long DO eggs take?"}, "same text as line 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(StartupError) as caught:
        loader.parse(lines(ROW, ROW | {"text": "second"} | change), "f.jsonl", LABELS)
    assert str(caught.value).startswith("f.jsonl:2: ")
    assert said in str(caught.value)


def test_members_stand_in_one_order() -> None:
    with pytest.raises(StartupError, match=r"f:1: members must stand in the order text, label, family"):
        loader.parse(lines(dict(reversed(ROW.items()))), "f", LABELS)


def test_a_member_may_not_be_missing() -> None:
    with pytest.raises(StartupError, match=r"f:1: .*`group`"):
        loader.parse(lines({name: value for name, value in ROW.items() if name != "group"}), "f", LABELS)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b'{"text": "\xff"}', b'{"text": ' + b"[" * 100_000])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(StartupError, match=r"^f:2: "):
        loader.parse(lines(ROW) + line + b"\n", "f", LABELS)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_line(content: bytes) -> None:
    try:
        examples = loader.parse(content, "f", LABELS)
    except StartupError as error:
        assert str(error).startswith("f:")
    else:
        assert len(examples) <= content.count(b"\n") + 1


@given(st.text(min_size=1).filter(str.strip))
def test_every_text_survives(text: str) -> None:
    [example] = loader.parse(lines(ROW | {"text": text}), "f", LABELS)
    assert example.text == text


def test_an_unknown_name_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        loader.load("../pyproject")


def test_the_split_depends_on_the_group_alone() -> None:
    [one] = loader.parse(lines(ROW), "f", LABELS)
    [other] = loader.parse(lines(ROW | {"text": "something else", "label": 1, "lang": "de"}), "f", LABELS)
    assert loader.split(one) is loader.split(other)


def test_the_split_never_changes() -> None:
    sides = [
        loader.split(example)
        for number in range(12)
        for example in loader.parse(lines(ROW | {"group": f"g-{number}"}), "f", LABELS)
    ]
    assert [number for number, side in enumerate(sides) if side is Split.VALIDATION] == [2]
