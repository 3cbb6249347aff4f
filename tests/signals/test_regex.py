from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from extproc_router.signals import regex
from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, Look, MakeSubject

TICKET, SQL = r"\b[A-Z]{2,5}-\d+\b", r"(?i)\bselect\b.*\bfrom\b"


def test_a_list_is_a_flag(look: Look) -> None:
    assert look("regex", "see ABC-1", patterns=[TICKET, SQL]) == Signal("regex", "yes", 1.0, frozenset({"yes"}), 1.0)
    assert look("regex", "see abc-1", patterns=[TICKET, SQL]) == Signal("regex", "none", 1.0, number=0.0)


def test_names_are_labels(look: Look) -> None:
    both = look("regex", "AB-1: SELECT x FROM y; AB-2", patterns={"ticket": TICKET, "sql": SQL})
    assert both == Signal("regex", "sql+ticket", 1.0, frozenset({"ticket", "sql"}), 2.0)


def test_which_text_is_read(build: Build, subject: MakeSubject) -> None:
    turns = ("system", "AB-1"), ("user", "What does this ticket say, and who wrote it?")
    assert build("regex", patterns=[TICKET]).read(subject(*turns), NO_ANSWERS).number == 0
    assert build("regex", patterns=[TICKET], of="everything").read(subject(*turns), NO_ANSWERS).number == 1


def test_exploding_patterns_and_odd_texts_are_nothing_special(look: Look) -> None:
    assert look("regex", "a" * 50_000 + "b", patterns=["^(a+)+$"]).number == 0
    assert look("regex", "a\x00\ud800ü", patterns={"end": "ü$", "nul": r"\x00", "half": r"\?"}).number == 3


def test_signs_that_are_not_shown_hide_nothing(look: Look) -> None:
    for text in ("AB\u200b-1", "see\u200bAB-1", "\u00adA\ufeffB-1"):
        assert look("regex", text, patterns=[TICKET]).number == 1
    assert look("regex", "a\u200bb", patterns=[r"\x{200b}"]).number == 1


def test_a_text_beyond_the_bound_is_not_half_read(look: Look) -> None:
    with pytest.raises(ValueError, match="more than 4194304 bytes"):
        look("regex", "é" * (regex.MAX_BYTES // 2 + 1), patterns=["a"])


def test_patterns_that_count_read_less(look: Look) -> None:
    text = "x" * 400_000
    assert look("regex", text, patterns=["a.{0,20}b"]).number == 0
    with pytest.raises(ValueError, match="more than 335544 bytes"):
        look("regex", text, patterns=["a.{0,200}b"])


@pytest.mark.parametrize(
    ("pattern", "number"), [("a+", 0), ("a{3}", 3), ("a{3,}", 3), ("a{3,7}b{2}", 9), (r"\p{Han}", 0), ("{x}", 0)]
)
def test_how_far_a_pattern_counts(pattern: str, number: int) -> None:
    assert regex.counted(pattern) == number


@pytest.mark.parametrize(
    ("patterns", "path"),
    [
        (["ok", "(b"], (1,)),
        ({"fine": "ok", "bad": "(b"}, ("bad",)),
        (["a?"], (0,)),
        ([], ()),
        ({"a": ["b"]}, ("a",)),
    ],
)
def test_a_bad_pattern_is_found_where_it_stands(patterns: Any, path: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        regex.Options(kind="regex", patterns=patterns)
    (error,) = caught.value.errors()
    assert tuple(part for part in error["loc"] if not str(part).startswith("[")) == ("patterns", *path)


@pytest.mark.parametrize(
    ("patterns", "reason"),
    [
        ([rf"\pL{{{150 + number}}}" for number in range(10)], "RE2 instructions"),
        ([r"[ab]*a[ab]{900}"] * 300, "bytes do not|RE2 instructions"),
    ],
)
def test_patterns_that_are_too_large_together(build: Build, patterns: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=f"too large together: .*({reason})"):
        build("regex", patterns=patterns)
