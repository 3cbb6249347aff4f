from __future__ import annotations

from extproc_router.signals import domain
from extproc_router.types import Classification, Encoding, Signal


def test_the_heads_answer_is_the_signal() -> None:
    head = Classification("law", 0.7, {"law": 0.7, "math": 0.3})
    assert domain.read(Encoding({"domain": head}, {"domain": 0}, 9, windowed=False)) == Signal("domain", "law", 0.7)
