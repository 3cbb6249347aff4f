from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from extproc_router.signals import patterns

PATTERN: TypeAdapter[Any] = TypeAdapter(patterns.Pattern)


@pytest.mark.parametrize("regex", [r"\bword\b", "(a+)+$", r"^\s*$", r"\p{Han}{2,}", "(?i)straße"])
def test_what_re2_takes_is_taken(regex: str) -> None:
    assert PATTERN.validate_python(regex) == regex


@pytest.mark.parametrize(
    ("regex", "reason"),
    [
        ("(", r"RE2 refuses '\(': missing \)"),
        (r"(?<!a)b", r"RE2 refuses .*invalid perl operator"),
        (r"(a)\1", "RE2 refuses .*invalid escape sequence"),
        ("((a{1000}){100}){10}", "RE2 refuses .*invalid repetition size"),
        (r"(\pL{500}){2}", "RE2 refuses .*too large"),
        ("\ud800", "string"),
        ("a*", r"'a\*' matches every text"),
        (".*", "matches every text"),
        ("^", "matches every text"),
        ("", "at least 1 character"),
        ("a" * 2001, "at most 2000 characters"),
    ],
)
def test_what_cannot_work_is_a_mistake_that_names_it(regex: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PATTERN.validate_python(regex)


def test_a_long_pattern_is_not_repeated_whole() -> None:
    with pytest.raises(ValueError, match="RE2 refuses") as caught:
        patterns.compiled("(" + "a" * 500)
    assert len(str(caught.value)) < 200
