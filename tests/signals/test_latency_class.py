from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.signals.base import NO_ANSWERS

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject


@pytest.mark.parametrize(
    ("header", "tier", "label"),
    [
        (None, "", "interactive"),
        (None, "auto", "interactive"),
        (None, "flex", "batch"),
        (None, "batch", "batch"),
        ("batch", "", "batch"),
        (" Batch ", "", "batch"),
        ("interactive", "flex", "interactive"),
        ("whenever", "flex", "batch"),
        ("batch, interactive", "", "interactive"),
    ],
)
def test_the_header_then_the_tier(
    build: Build, subject: MakeSubject, header: str | None, tier: str, label: str
) -> None:
    headers = {"x-latency-class": header} if header is not None else {}
    signal = build("latency_class").read(subject("hello", headers=headers, service_tier=tier), NO_ANSWERS)
    assert (signal.label, signal.labels) == (label, frozenset({label}))
