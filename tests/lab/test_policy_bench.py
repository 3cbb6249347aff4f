from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab import policy_bench

if TYPE_CHECKING:
    import pytest


def test_every_part_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_bench, "RUNS", 2)
    figures = policy_bench.measure()
    assert [part.limit_us for part in figures] == [60, 100, 300, 100]
    assert all(part.p50_us > 0 for part in figures)


def test_the_last_rule_alone_matches() -> None:
    config = policy_bench._config()
    assert (len(config.written.rules), len(config.candidates)) == (policy_bench.RULES, policy_bench.MODELS)
    assert config.written.rules[-1].when is None
