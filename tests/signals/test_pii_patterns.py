from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc_router.signals.pii_patterns import FINDERS, MAX_FOUND, Structured, _compiled, _places
from extproc_router.signals.pii_phones import Phones
from extproc_router.signals.pii_types import TooMuch
from extproc_router.types import Span

FIND = Structured(("US", "GB"), lambda _: False).find

TRUE = [
    ("mail bob.smith+x@mail.example.com, please", "EMAIL_ADDRESS", "bob.smith+x@mail.example.com"),
    ("jürgen@bücher.example.de", "EMAIL_ADDRESS", "jürgen@bücher.example.de"),
    (r"{\"to\":\"x\nbob@example.com\"}", "EMAIL_ADDRESS", "bob@example.com"),
    ("card 4111 1111 1111 1111, exp 12/27", "CREDIT_CARD", "4111 1111 1111 1111"),
    ("4111\u20111111\u20111111\u20111111", "CREDIT_CARD", "4111\u20111111\u20111111\u20111111"),
    ("号码4111111111111111。", "CREDIT_CARD", "4111111111111111"),
    ("378282246310005", "CREDIT_CARD", "378282246310005"),
    ("pay to GB29 NWBK 6016 1331 9268 19 today", "IBAN_CODE", "GB29 NWBK 6016 1331 9268 19"),
    ("DE89370400440532013000", "IBAN_CODE", "DE89370400440532013000"),
    ("it is 536-22-8726.", "US_SSN", "536-22-8726"),
    ("SSN: 536228726", "US_SSN", "536228726"),
    ("<US_SSN_536228726>", "US_SSN", "536228726"),
    ("<PERSON_536-22-8726>", "US_SSN", "536-22-8726"),
    ("\uff15\uff13\uff16-22-8726", "US_SSN", "\uff15\uff13\uff16-22-8726"),
    ("it is 536-22-\u200b8726", "US_SSN", "536-22-\u200b8726"),
    ("41\u00ad11 11\u2060\u200b11 1111 1111", "CREDIT_CARD", "41\u00ad11 11\u2060\u200b11 1111 1111"),
    ("to jane\u200b@corp.com", "EMAIL_ADDRESS", "jane\u200b@corp.com"),
    ("x\u200b536-22-8726\u200by", "US_SSN", "536-22-8726"),
    (r'{"a": "536-22-\u200b8726"}', "US_SSN", r"536-22-\u200b8726"),
    ("my social security number is 536 22 8726", "US_SSN", "536 22 8726"),
    ("from 203.0.113.7:8080", "IP_ADDRESS", "203.0.113.7"),
    ("ping 2001:db8::8a2e:370:7334", "IP_ADDRESS", "2001:db8::8a2e:370:7334"),
    ("born on 12 March 1985", "DATE_OF_BIRTH", "12 March 1985"),
    ("DOB: 03/12/1985", "DATE_OF_BIRTH", "03/12/1985"),
    ('"date_of_birth": "1985-03-12"', "DATE_OF_BIRTH", "1985-03-12"),
    ("She was born in Leeds on March 12th, 1985.", "DATE_OF_BIRTH", "March 12th, 1985"),
    ("geboren am 12. März 1985", "DATE_OF_BIRTH", "12. März 1985"),
    ("(202) 555-0123", "PHONE_NUMBER", "(202) 555-0123"),
    ("+44 7700 900123", "PHONE_NUMBER", "+44 7700 900123"),
    ("020 7946 0958", "PHONE_NUMBER", "020 7946 0958"),
    ("call me at 5550123", "PHONE_NUMBER", "5550123"),
    ('"phone_number": "2025550123"', "PHONE_NUMBER", "2025550123"),
    ("fax: 202-555-0123 ext. 45", "PHONE_NUMBER", "202-555-0123 ext. 45"),
    ("AKIAIOSFODNN7ABCDEFG", "SECRET", "AKIAIOSFODNN7ABCDEFG"),
    (f"use ghp_{'a1' * 18} here", "SECRET", f"ghp_{'a1' * 18}"),
    (f"glpat-{'a1' * 10}", "SECRET", f"glpat-{'a1' * 10}"),
    ("xoxb-123456789012-abcdef", "SECRET", "xoxb-123456789012-abcdef"),
    ("sk-proj-abcdefghij1234567890", "SECRET", "sk-proj-abcdefghij1234567890"),
    (f"AIza{'Sy1' * 11}Dq", "SECRET", f"AIza{'Sy1' * 11}Dq"),
    ("sk_test_abcdefgh12345678", "SECRET", "sk_test_abcdefgh12345678"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0x.c2ln", "SECRET", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0x.c2ln"),
    ("Authorization: Bearer abcdef0123456789ABCDEF", "SECRET", "abcdef0123456789ABCDEF"),
    ("postgres://app:s3cr3t99@db.example.com/x", "SECRET", "s3cr3t99"),
    ('password = "sunshine"', "SECRET", "sunshine"),
    ("my password is Tr0ub4dor&3.", "SECRET", "Tr0ub4dor&3"),
    ("API_KEY=abcd1234efgh5678", "SECRET", "abcd1234efgh5678"),
]

FALSE = [
    "",
    "Explain how a bill becomes a law.",
    "git clone git@github.com:org/repo.git",
    "background: url(logo@2x.png)",
    "@app.route('/x') and user@localhost",
    "4111111111111112 and 1234567890123456",
    "pi is 3.4111111111111111",
    "1732300000000 1732300000000000",
    "DE88 3704 0044 0532 0130 00",
    "000-12-3456 and 12-345-6789",
    "ssn of 078-05-1120",
    "version 1.2.3.4, v1.2.3.4, 1.2.3.4.5, 127.0.0.1, 0.0.0.0",
    "std::vector, a::b, 12:30:45, ::1, 00:1a:2b:3c:4d:5e",
    "The treaty was signed on 12 March 1985.",
    "born to be wild in 1968",
    "2024-11-22 10:30:00 and 22/11/2024 10:30",
    "0.25 0.75 0.125 100 200 3000 12 34 56 78 90",
    "the password is incorrect; reset your password: click here",
    "def f(password: str, api_key: Optional[str] = None)",
    "api_key=os.environ['KEY'] password=${PASSWORD}",
    'password = "<your password>" token: your_token_here_1',
    "pip install sk-learn-contrib-extensions-of-all-kinds",
    "<EMAIL_ADDRESS_1> called <PHONE_NUMBER_2>, password: <SECRET_1>",
]

# Pieces that lie beside each other in ways that nobody thought of.
PIECES = st.lists(
    st.one_of(
        st.sampled_from([text for text, _, _ in TRUE] + FALSE),
        st.text(st.characters(), max_size=5),
        st.text("0123456789 -.()+@:/\\nu\"'ab<>_", max_size=20),
    ),
    max_size=6,
).map("".join)


def found(text: str) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in FIND(text)]


@pytest.mark.parametrize(("text", "kind", "value"), TRUE)
def test_personal_data_are_found_to_the_letter(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]
    assert found(f"¿{text}\n") == [(kind, value)]


@pytest.mark.parametrize("text", FALSE)
def test_what_only_looks_like_them_is_not(text: str) -> None:
    assert found(text) == []


def test_a_private_key_is_a_secret() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc+/=\n-----END RSA PRIVATE KEY-----"
    assert found(f"see\n{key}\nthere") == [("SECRET", key)]


def test_each_is_told_apart_where_many_stand() -> None:
    text = ", ".join(text for text, kind, _ in TRUE if kind not in {"SECRET", "DATE_OF_BIRTH"})
    assert found(text) == [(kind, value) for _, kind, value in TRUE if kind not in {"SECRET", "DATE_OF_BIRTH"}]


def test_what_is_allowed_is_nobodys_and_hides_nothing() -> None:
    structured = Structured(("US",), lambda value: value == "help@example.com")
    text = "help@example.com or bob@example.com"
    assert structured.find(text) == (Span(20, 35, "EMAIL_ADDRESS", 1.0),)


def test_what_is_taken_is_not_found_again() -> None:
    text = "bob@example.com or 203.0.113.7"
    assert FIND(text, (Span(0, 15, "EMAIL_ADDRESS", 1.0),)) == (Span(19, 30, "IP_ADDRESS", 1.0),)


def test_an_allowed_value_is_allowed_in_disguise_too() -> None:
    structured = Structured(("US",), lambda value: value == "help@example.com")
    assert structured.find("help\u200b@example.com") == ()


@pytest.mark.parametrize(
    "piece", ["1.2.3.4 ", "a@b.co ", "1.2\u200b.3.4 ", "+1 202 555 0123, ", "x\u200b1.2.3.4\u200bx"]
)
def test_more_than_anybody_writes_is_not_looked_through(piece: str) -> None:
    assert len(FIND(piece * MAX_FOUND)) == MAX_FOUND
    with pytest.raises(TooMuch, match="more than 1000"):
        FIND(piece * (MAX_FOUND + 1))


@given(PIECES)
def test_spans_lie_in_the_text_in_order_without_overlap(text: str) -> None:
    spans = FIND(text)
    assert all(0 <= span.start < span.end <= len(text) and span.score == 1.0 for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert FIND(text) == spans


@pytest.mark.parametrize("number", range(len(FINDERS)), ids=lambda number: f"{number}-{FINDERS[number].type}")
def test_what_is_found_was_hinted_at(number: int) -> None:
    finder = FINDERS[number]
    hints, patterns = _compiled()

    @settings(max_examples=40)
    @given(st.from_regex(re.compile(finder.pattern.encode("latin-1"))))
    def hinted(page: bytes) -> None:
        check = getattr(Phones(("US", "GB")), finder.check) if isinstance(finder.check, str) else finder.check
        if _places(patterns[number], page, check):
            assert number in (hints.Match(page) or ())

    hinted()


@pytest.mark.parametrize(
    "piece",
    ["-----BEGIN PRIVATE KEY-----" + "x" * 100, "password=", "GB29 ", "a:", "1.", "\\", "4111 ", "phone ", "\u200b1"],
)
def test_a_long_text_is_read_to_its_end(piece: str) -> None:
    text = piece * (100_000 // len(piece)) + "\n. bob@example.com"
    assert (text[-15:] in {text[span.start : span.end] for span in FIND(text)}) or FIND(text)[-1].end == len(text)
