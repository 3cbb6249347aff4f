from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import UncheckableBody
from extproc_router.signals.pii_patterns import Structured
from extproc_router.signals.pii_redactor import Redactor
from extproc_router.signals.pii_types import PERSONAL, STRUCTURED

if TYPE_CHECKING:
    from collections.abc import Iterable

FIND = Structured(("US", "GB"), lambda _: False).find
ALL = frozenset((*STRUCTURED, *PERSONAL))
VALUES = [("Ann Lee", "PERSON"), ("12 Mill Lane, Leeds", "ADDRESS"), ("Jürgen", "PERSON"), ("张三", "PERSON")]

PIECES = st.lists(
    st.one_of(
        st.sampled_from([
            "Ann Lee", "ANN\nLEE", r"ann\nlee", "12 Mill Lane, Leeds", "JÜRGEN", "jürgen@example.com", "call 张三吧",
            "ann@example.com", "4111 1111 1111 1111", "(202) 555-0123", "+44 7700 900123", "203.0.113.7", "536-22-8726",
            "DOB: 1985-03-12", "password = 'hunter2x'", "GB29 NWBK 6016 1331 9268 19", "<PERSON_3>", "born ", "phone ",
            "536228726", "<US_SSN_536228726>", "ssn ",
        ]),
        st.sampled_from([" ", ", ", "\n", "\\", "\\n", '"', "<", ">", "-", "_", "1", "x", "é", "\u200b", "\u00ad"]),
        st.text(st.characters(), max_size=4),
    ),
    max_size=10,
).map("".join)  # fmt: skip


def redactor(values: Iterable[tuple[str, str]] = (), types: frozenset[str] = ALL, everything: str = "") -> Redactor:
    return Redactor(FIND, values, types, everything)


def redact(text: str, by: Redactor) -> str:
    for replacement in reversed(by(text)):
        text = text[: replacement.start] + replacement.text + text[replacement.end :]
    return text


def test_placeholders_are_typed_and_numbered_by_type() -> None:
    text = "bob@example.com and eve@example.com from 203.0.113.7"
    assert redact(text, redactor()) == "<EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2> from <IP_ADDRESS_1>"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Bob@example.com", "bob@EXAMPLE.com"),
        ("4111 1111 1111 1111", "4111-1111-1111-1111"),
        ("GB29 NWBK 6016 1331 9268 19", "gb29nwbk60161331926819"),
        ("(202) 555-0123", "202.555.0123"),
        ("Ann Lee", "ANN  LEE"),
        ("Ann Lee", "ann\nlee"),
        ("Ann Lee", "A\u200bnn Le\u00ade"),
        ("536-22-8726", "536 22 8726"),
        ("536-22-8726", "536228726"),
        ("536-22-8726", "\uff15\uff13\uff1622 87\u200b26"),
        ("4111 1111 1111 1111", "41 11 11 11 11 11 11 11"),
    ],
)
def test_spellings_of_one_value_get_one_placeholder_in_every_text(first: str, second: str) -> None:
    by = redactor(VALUES)
    redact("eve@example.com", by)
    assert redact(f"<{first}>", by) == redact(f"<{second}>", by)


def test_secrets_differ_by_case() -> None:
    assert redact("password = 'hunter2x', password = 'Hunter2x'", redactor()).count("SECRET_2") == 1


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Ann Lee, ann lee and ANN LEE", "<PERSON_1>, <PERSON_1> and <PERSON_1>"),
        ("Joann Lee and Ann Leeds and Ann_Lee", "Joann Lee and Ann Leeds and Ann_Lee"),
        ("to 12 Mill Lane,\nLeeds.", "to <ADDRESS_1>."),
        ("请联系张三吧", "请联系<PERSON_1>吧"),
        (r'{"to":"x\nAnn Lee\nbye"}', r'{"to":"x\n<PERSON_1>\nbye"}'),
        (r"\ud800 Jürgen", r"\ud800 <PERSON_1>"),
        ("\ud800 Jürgen \udfff", "\ud800 <PERSON_1> \udfff"),
    ],
)
def test_names_are_replaced_wherever_they_stand_whole(text: str, redacted: str) -> None:
    assert redact(text, redactor(VALUES)) == redacted


def test_what_overlaps_goes_as_one_and_form_gives_the_type() -> None:
    values = [("Lee, ann@example.com", "PERSON"), ("ann", "PERSON")]
    assert redact("Lee, ann@example.com or ann", redactor(values)) == "<EMAIL_ADDRESS_1> or <PERSON_1>"


def test_only_what_is_asked_for_goes() -> None:
    by = redactor(types=frozenset({"EMAIL_ADDRESS"}))
    assert redact("bob@example.com 203.0.113.7", by) == "<EMAIL_ADDRESS_1> 203.0.113.7"


@pytest.mark.parametrize("value", ["", "x", "é", "<PERSON_1>", r"\n\n", "<PERSON_1> Lee"])
def test_a_value_that_stands_everywhere_or_nowhere_is_left_alone(value: str) -> None:
    assert redactor([(value, "PERSON")])(f"x {value} é <PERSON_1>\n") == ()


def test_numbers_are_known_from_all_of_the_request() -> None:
    by = redactor(everything="later: 536-22-8726")
    assert redact("536228726 or 536228727", by) == "<US_SSN_1> or 536228727"
    only = redactor(types=frozenset({"EMAIL_ADDRESS"}), everything="536-22-8726")
    assert redact("536228726", only) == "536228726"


def test_more_than_is_looked_through_is_refused() -> None:
    everybody = [(f"Person Number {number}", "PERSON") for number in range(257)]
    assert redact("person number 255", redactor(everybody[:256])) == "<PERSON_1>"
    with pytest.raises(UncheckableBody, match="more personal data than is looked through"):
        redactor(everybody)
    with pytest.raises(UncheckableBody):
        redactor([("x" * 1001, "PERSON")])
    with pytest.raises(UncheckableBody):
        redactor(everything="203.0.113.7 " * 1001)
    by = redactor()
    with pytest.raises(UncheckableBody):
        by("203.0.113.7 " * 1001)
    assert sum(len(by("203.0.113.7 " * 1000)) for _ in range(2)) == 2000
    with pytest.raises(UncheckableBody):
        by("203.0.113.7")


def test_numbers_go_on_after_the_clients_own() -> None:
    by = redactor(everything="<EMAIL_ADDRESS_4> wrote")
    assert redact("bob@example.com to <EMAIL_ADDRESS_4>", by) == "<EMAIL_ADDRESS_5> to <EMAIL_ADDRESS_4>"


@given(PIECES)
def test_redacting_twice_changes_nothing(text: str) -> None:
    by = redactor(VALUES, everything=text)
    redacted = redact(text, by)
    assert by(redacted) == ()
    assert redactor(VALUES, everything=redacted)(redacted) == ()


@given(value=st.dictionaries(PIECES, PIECES, max_size=3), depth=st.integers(1, 2), escape=st.booleans())
def test_json_within_a_string_stays_json(value: dict[str, str], depth: int, escape: bool) -> None:
    text = json.dumps(value, ensure_ascii=escape)
    for _ in range(depth - 1):
        text = json.dumps(text, ensure_ascii=escape)
    after = redact(text, redactor(VALUES))
    for _ in range(depth):
        after = json.loads(after)
    assert isinstance(after, dict)


@given(PIECES)
def test_replacements_are_in_order_without_overlap(text: str) -> None:
    reached = 0
    for replacement in redactor(VALUES)(text):
        assert reached <= replacement.start < replacement.end <= len(text)
        reached = replacement.end
