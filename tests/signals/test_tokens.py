from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.signals import tokens

# Counts of o200k, cl100k and tekken, in this order.
COUNTED = {
    "Please summarise the attached contract and list every clause that limits our liability.": (15, 15, 15),
    "def fib(n: int) -> int:\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n": (
        42,
        42,
        42,
    ),
    '{"id": 1042, "name": "Ada", "tags": ["a", "b"], "active": true}': (27, 27, 30),
    "请审查这份合同，并列出所有限制我们责任的条款。": (17, 20, 22),  # noqa: RUF001 - as Chinese is written
    "この契約書を確認し、責任を制限する条項をすべて挙げてください。": (26, 36, 26),
    "이 계약서를 검토하고 책임을 제한하는 조항을 모두 나열해 주세요.": (19, 33, 20),
    "Bitte prüfe den Vertrag und nenne alle Klauseln, die unsere Haftung beschränken.": (20, 24, 22),
    "Проверьте договор и перечислите все пункты, ограничивающие нашу ответственность.": (19, 36, 24),
    "راجع هذا العقد واذكر جميع البنود التي تحد من مسؤوليتنا.": (16, 40, 17),
    "1234567890 9876543210 3.14159": (14, 14, 29),
    "🚀🎉 ok": (5, 7, 9),
}


@pytest.mark.parametrize("text", COUNTED)
def test_the_estimate_is_near_what_is_counted(text: str) -> None:
    counts = COUNTED[text]
    assert 0.75 * min(counts) <= tokens.estimate(text) <= 1.25 * max(counts)


@pytest.mark.parametrize(("text", "number"), [("", 0), ("a", 1), (" ", 1), ("\ud800", 1), ("\x00", 1)])
def test_the_smallest_texts(text: str, number: int) -> None:
    assert tokens.estimate(text) == number


@given(st.text(st.characters(), min_size=1), st.text(st.characters(), min_size=1))
def test_every_text_has_some_and_more_text_has_no_fewer(before: str, after: str) -> None:
    both = tokens.estimate(before + after)
    assert both >= max(1, tokens.estimate(before) - 1)


def test_megabytes_are_counted_in_pieces_of_the_same_size() -> None:
    text = "The quick brown fox jumps over the lazy dog. "
    assert tokens.estimate(text * 20_000) == pytest.approx(20_000 * tokens.estimate(text * 100) / 100, rel=0.001)
