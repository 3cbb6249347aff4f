from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.signals import language
from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, Look, MakeSubject

GERMAN = "Bitte prüfe den Vertrag und nenne alle Klauseln, die unsere Haftung beschränken."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GERMAN, "de"),
        ("Please review this contract and list the clauses that limit our liability.", "en"),
        ("Revise este contrato y enumere las cláusulas que limitan nuestra responsabilidad.", "es"),
        ("Проверьте договор и перечислите пункты, ограничивающие ответственность.", "ru"),
        ("请审查这份合同，并列出所有限制我们责任的条款。", "zh"),  # noqa: RUF001 - as Chinese is written
        ("請審查這份合約，並列出所有限制我們責任的條款。", "zh"),  # noqa: RUF001 - likewise
        ("この契約書を確認し、責任を制限する条項をすべて挙げてください。", "ja"),
        ("בדוק את החוזה ורשום את כל הסעיפים המגבילים את אחריותנו.", "he"),
        (f"\x00\x01{GERMAN}\x7f\ufdd0\ud800", "de"),
    ],
)
def test_the_label_is_the_code(look: Look, text: str, code: str) -> None:
    signal = look("language", text)
    assert (signal.label, signal.labels) == (code, frozenset({code}))
    assert 0.9 <= signal.confidence < 1


@pytest.mark.parametrize("text", ["", "ok", "merci!", "12345 67890 " * 9, "🚀" * 40, "\x00" * 50, "\ud800" * 50])
def test_what_is_too_short_or_no_language_has_no_label(look: Look, text: str) -> None:
    assert look("language", text) == Signal("language", "unknown", 0.0)


def test_a_longer_text_is_surer() -> None:
    (_, short), (_, long) = language.detect("Wo ist der alte Bahnhof?"), language.detect(GERMAN)
    assert 0 < short < long


def test_both_ends_of_a_long_text_are_read(build: Build, subject: MakeSubject) -> None:
    seen = subject(GERMAN * 20 + "SELECT 1; " * 100_000 + GERMAN * 20)
    assert build("language").read(seen, NO_ANSWERS).label == "de"


def test_which_text_is_read(build: Build, subject: MakeSubject) -> None:
    seen = subject(("system", GERMAN * 5), "Please review this contract for me, thank you.")
    assert build("language").read(seen, NO_ANSWERS).label == "en"
    assert build("language", of="everything").read(seen, NO_ANSWERS).label == "de"


@given(st.text(st.characters()))
def test_no_text_is_too_odd(text: str) -> None:
    code, confidence = language.detect(text)
    assert (code in language.KNOWN) is (confidence > 0)
    assert bool(code) is (confidence > 0)
