from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof import Proof
from extproc_router.lab.hunt import envoy_hunt

if TYPE_CHECKING:
    import pytest

CASES = 150


def test_no_proved_file_leaks() -> None:
    tally = envoy_hunt.run(CASES, seed=1)
    assert tally.cases == CASES
    assert [leak.story for leak in tally.leaks] == []


def test_a_safe_file_is_always_proved_and_an_edited_one_often_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    counted = envoy_hunt.survey(CASES, seed=1)
    with capsys.disabled():
        print(f"\n{counted['safe proved']} of {counted['safe']} safe Envoy files proved,", end=" ")  # noqa: T201
        print(f"{counted['edited proved']} of {counted['edited']} edited ones", end=" ")  # noqa: T201
    assert 0 < counted["safe"] == counted["safe proved"]
    assert 0 < counted["edited proved"] < counted["edited"]


def test_a_proof_that_believes_everything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envoy_hunt, "prove", lambda *_: Proof((), ()))
    leaks = envoy_hunt.run(30, seed=1).leaks
    assert len(leaks) >= 3
    # It is replayed alone, and the story has the config and the file in it.
    seed = leaks[0].case.removeprefix("envoy file ")
    assert list(envoy_hunt.leaks(seed)) == [leaks[0]]
    assert "privacy_tiers:" in leaks[0].story
    assert "filter_chains" in leaks[0].story or "filterChains" in leaks[0].story
