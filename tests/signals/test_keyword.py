from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from extproc_router.signals import keyword
from extproc_router.types import Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Resources
    from tests.signals.conftest import Look

MERGER = {"keywords": ["merger", "term sheet"]}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("the MERGER, the term\nsheet and the merger", 2),
        ("mergers, submerger, merger_2, term & sheet, term", 0),
        ("(merger)", 1),
        ("term\r\nsheet", 1),
        ("term \t \u2003\u2028sheet", 1),
        ("term-sheet, TERM_SHEET, term\u2011sheet", 1),
        ("term--sheet, term - sheet, midterm-sheet", 0),
        ("term" + " " * 20_000 + "sheet", 1),
        ("\uff4d\uff45\uff52\uff47\uff45\uff52", 1),
        ("mer\u200bger te\u00adrm\u2060 sheet", 2),
        ("a\u200bmerger\ufeffof", 1),
        ("me" + "\u200b" * 20_000 + "rger", 1),
        ("merger\u0301", 0),  # another letter: an accent belongs to it
    ],
)
def test_whole_words_in_any_case(look: Look, text: str, number: int) -> None:
    labels = frozenset({"yes"} if number else ())
    assert look("keyword", text, **MERGER) == Signal("keyword", "yes" if number else "none", 1.0, labels, number)


@pytest.mark.parametrize(
    ("options", "text", "number"),
    [
        ({"whole_words": False}, "submergers", 1),
        ({"ignore_case": False}, "Merger", 0),
        ({"ignore_case": False}, "merger", 1),
    ],
)
def test_options(look: Look, options: dict[str, Any], text: str, number: int) -> None:
    assert look("keyword", text, **MERGER, **options).number == number


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("STRASSE", "die Straße dort"),
        ("straße", "DIE STRASSE DORT"),
        ("café", "un cafe\u0301 noir"),
        ("合同", "请审查这份合同的条款"),
        ("계약", "이 계약서를 검토해 주세요"),
        ("契約", "この契約書を確認"),
        ("สัญญา", "ตรวจสอบสัญญานี้"),
        ("c++", "I like c++, really"),
        ("--force", "git push --force"),
        ("pipe-bomb", "a pipe bomb"),
        ("snake_case", "snake case"),
        ("so\u200bft", "soft"),
        ("ﬁne print", "fine print"),
        (".net", "asp.net"),
        ("naïve\tbayes", "a Naïve Bayes model"),
        ("İstanbul", "i̇stanbul'da"),
        ("merger", "a \ud800 merger"),
    ],
)
def test_other_scripts_and_signs(look: Look, word: str, text: str) -> None:
    assert look("keyword", text, keywords=[word]).number == 1


@pytest.mark.parametrize(("word", "text"), [("क", "कि"), ("рок", "урок"), ("é", "été")])
def test_words_of_other_scripts_are_whole_too(look: Look, word: str, text: str) -> None:
    assert look("keyword", text, keywords=[word]).number == 0


def test_lists_with_names_are_labels(look: Look) -> None:
    lists = {"legal": ["merger", "Lien"], "finance": ["merger", "yield"], "health": ["flu"]}
    assert look("keyword", "a lien after the merger", keywords=lists) == Signal(
        "keyword", "finance+legal", 1.0, frozenset({"legal", "finance"}), 2.0
    )


def test_keywords_within_keywords_are_found(look: Look) -> None:
    assert look("keyword", "new york city", keywords=["york", "new york", "york city"]).number == 3


def test_words_that_differ_in_case_alone_are_one(look: Look) -> None:
    assert look("keyword", "flu", keywords=["flu", "FLU"]).number == 1
    assert look("keyword", "flu", keywords=["flu", "FLU"], ignore_case=False).number == 1


@given(
    text=st.text(alphabet="ab \n_é", max_size=60),
    words=st.lists(st.text(alphabet="abé ", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=5),
    piece=st.integers(min_value=25, max_value=40),
)
def test_pieces_hide_nothing_and_invent_nothing(text: str, words: list[str], piece: int) -> None:
    vocabulary = keyword.compiled({"yes": words}, ignore_case=True, whole_words=True)
    whole = vocabulary.find(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyword, "_PIECE", piece)
        patch.setattr(keyword, "_OVERLAP", 20)
        assert vocabulary.find(text) == whole


def test_a_word_across_pieces_is_found_once(look: Look) -> None:
    for shift in range(-8, 9):
        assert look("keyword", "x " * (4096 + shift) + "merger" + " x" * 9000, **MERGER).number == 1
        assert look("keyword", "x" * (8192 + shift) + "merger" + "x" * 9000, **MERGER).number == 0


def test_a_text_made_of_hits_alone_is_not_walked_to_its_end(look: Look) -> None:
    with pytest.raises(ValueError, match="more than 1048576 hits"):
        look("keyword", "a" * 200_000, keywords=["a" * number for number in range(1, 11)])


@pytest.mark.parametrize(
    "keywords",
    [[], [""], [" \t"], ["\u200b"], ["\ufe0f \u00ad"], {}, {"a": []}, {"a": "merger"}, "merger", ["x" * 201]],
)
def test_keywords_that_cannot_be_meant(look: Look, keywords: Any) -> None:
    with pytest.raises(ValidationError):
        look("keyword", "", keywords=keywords)


def test_too_many_keywords_over_all_lists(resources: Resources) -> None:
    lists = {name: [f"{name}{number}" for number in range(6000)] for name in ("a", "b")}
    options = keyword.Options(kind="keyword", keywords=lists)
    with pytest.raises(ValueError, match="12000 keywords; at most 10000"):
        keyword.build("many", options, resources)
