"""A handful of prompts through the real stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab.cascade_quality import playing, prompts
from extproc_router.lab.cascade_quality.playing import play
from extproc_router.lab.cascade_quality.policies import STRONG, WEAK, Policy
from extproc_router.lab.cascade_quality.prompts import Prompt
from extproc_router.lab.simulated import simulated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.envoy

PRICES = {WEAK: 1.0, STRONG: 10.0}
PROMPTS = (
    Prompt("What is 2 + 2?", weak=True, strong=True),
    Prompt("Prove that there are infinitely many primes.", weak=False, strong=True),
    Prompt("Who will win?", weak=False, strong=False),
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    directory = tmp_path_factory.mktemp("servers")
    tables = {
        name: prompts.save([(prompt.text, getattr(prompt, name)) for prompt in PROMPTS], directory / f"{name}.jsonl")
        for name in (WEAK, STRONG)
    }
    with (
        simulated(directory, WEAK, f"--outcomes={tables[WEAK]}", "--answer-tokens=50") as weak,
        simulated(directory, STRONG, f"--outcomes={tables[STRONG]}", "--answer-tokens=50") as strong,
    ):
        yield {WEAK: weak, STRONG: strong}


def test_a_policy_without_a_cascade_is_paid_for_once(servers: dict[str, int]) -> None:
    weak = play("weak", Policy(direct_from=0.0), PROMPTS[:1], prices=PRICES, servers=servers)
    strong = play("strong", Policy(default=STRONG), PROMPTS, prices=PRICES, servers=servers)

    assert [served.good for served in strong] == [True, True, False]
    assert {served.model for served in strong} == {STRONG} == {served.model for served in weak}
    # 50 tokens of answer, and some of prompt.
    assert all(50e-5 < served.cost < 150e-5 for served in strong)
    assert not any(served.escalated or served.features for served in strong)
    assert weak[0].difficulty is not None


def test_a_cascade_that_accepts_all_serves_weak_and_tells_what_it_saw(servers: dict[str, int]) -> None:
    served = play("look", Policy(accept_at=0.0, reads_difficulty=True), PROMPTS, prices=PRICES, servers=servers)

    assert [each.good for each in served] == [True, False, False]
    assert {each.model for each in served} == {WEAK}
    assert all({"mean_logprob", "difficulty"} <= each.features.keys() for each in served)
    assert all(each.features["difficulty"] == pytest.approx(each.difficulty) for each in served)
    assert all(50e-6 < each.cost < 150e-6 for each in served)


def test_what_is_doubted_is_paid_for_twice(servers: dict[str, int]) -> None:
    served = play("doubt", Policy(accept_at=1.0), PROMPTS, prices=PRICES, servers=servers)

    assert [each.good for each in served] == [True, True, False]
    assert all(each.escalated and each.model == STRONG and each.cost > 11 * 50e-6 for each in served)
    assert {each.difficulty for each in served} == {None}


def test_a_prompt_that_the_log_lacks_is_told(tmp_path: Path) -> None:
    log = tmp_path / "decisions.jsonl"
    decision = {"request_id": "a", "id": "1", "cascade": STRONG, "signals": []}
    log.write_text(json.dumps(decision) + "\n", encoding="utf-8")

    with pytest.raises(StartupError, match="lacks 1 of 1 prompts"):
        playing._joined([playing._Got("b", WEAK, "", 1)], log, PRICES)
    with pytest.raises(StartupError, match="not judged"):
        playing._joined([playing._Got("a", WEAK, "", 1)], log, PRICES)
