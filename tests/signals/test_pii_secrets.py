from __future__ import annotations

import pytest

from extproc_router.signals import pii_secrets as secrets


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (b"sk-ant-api03-abcdefghij1234567890", True),
        (b"sk-learn-contrib-extensions-of-all-kinds", False),
        (b"AKIAIOSFODNN7EXAMPLE", False),
    ],
)
def test_a_token_has_digits_and_stands_for_nothing_else(value: bytes, *, is_one: bool) -> None:
    assert bool([*secrets.token(value, 0, len(value))]) is is_one


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"Tr0ub4dor&3", b"Tr0ub4dor&3"),
        (b"Tr0ub4dor&3.", b"Tr0ub4dor&3"),
        (b"incorrect", b""),
        (b"not_null-or.none", b""),
        (b"111111", b""),
        (b"os.environ1", b""),
        (b"${PASSWORD1}", b""),
        (b"your-password-1", b""),
    ],
)
def test_without_quotes_a_password_is_no_word(value: bytes, kept: bytes) -> None:
    assert [value[start:end] for start, end in secrets.bare(value, 0, len(value))] == ([kept] if kept else [])


def test_in_quotes_it_may_be_a_word() -> None:
    assert [*secrets.quoted(b"sunshine", 0, 8)] == [(0, 8)]
    assert [*secrets.quoted(b"aaaaaaaa", 0, 8)] == []


def test_a_bearer_token_is_random() -> None:
    assert [*secrets.bearer(b"abcdef0123456789ABCDEF", 0, 22)] == [(0, 22)]
    assert [*secrets.bearer(b"abababababababababababab", 0, 24)] == []


def test_a_url_has_a_password_unless_it_shows_how_to_write_one() -> None:
    assert [*secrets.userinfo(b"s3cr3t99", 0, 8)] == [(0, 8)]
    assert [*secrets.userinfo(b"password", 0, 8)] == []


@pytest.mark.parametrize(
    ("page", "end"),
    [
        (b"-----BEGIN X-----\nMII\n-----END X-----\nafter", 37),
        (b"-----BEGIN X-----\nMII cut", 25),
        (b'-----BEGIN X-----\nMII", "b": 1', 21),
        (b"-----BEGIN X-----\nMII \0\0 after", 22),
        (b"-----BEGIN X-----" + b"M" * 20_000, 17 + 16_384),
    ],
)
def test_a_private_key_goes_to_its_end(page: bytes, end: int) -> None:
    assert [*secrets.pem(page, 0, 17)] == [(0, end)]
