from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof import Proof
from extproc_router.lab.hunt import envoy_hunt, envoy_mutants

if TYPE_CHECKING:
    import pytest


def test_all_are_caught() -> None:
    results = envoy_mutants.run(seed=1)
    assert [(result.name, result.how) for result in results if not result.caught] == []
    leaking = [result for result in results if result.how.endswith(", and it leaks")]
    assert len(leaking) == len(envoy_mutants.LEAKING)


def test_a_proof_that_believes_everything_catches_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envoy_hunt, "prove", lambda *_: Proof((), ()))
    assert {(result.caught, result.how) for result in envoy_mutants.run(seed=1)} == {(False, "the proof still holds")}
