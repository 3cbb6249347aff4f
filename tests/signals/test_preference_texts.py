from __future__ import annotations

from extproc_router.signals.preference_texts import GENERIC


def test_the_texts_are_many_short_and_different() -> None:
    assert len(set(GENERIC)) == len(GENERIC) == 40
    assert all(0 < len(text) < 100 for text in GENERIC)
