from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router import wiring
from extproc_router.errors import StartupError
from extproc_router.evaluation import policies
from extproc_router.types import Classification, Encoding

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

POLICY = """\
models:
  - {name: small, cluster: small}
  - {name: large, cluster: large}
routing: {default: small, confidence_floor: 0.5, domains: {math: large}}
"""


class Reader:
    """Knows mathematics by the word; unsure of `perhaps`; interrupted by `stop`."""

    name, version, labels, confidence_floor, signals = "double", "0", ("math", "other"), 0.5, ("domain",)

    def encode(self, text: str, signals: Collection[str], *, embedding: bool) -> Encoding:
        assert set(signals) == {"domain"}
        assert not embedding
        if text == "stop":
            raise KeyboardInterrupt
        p = {"math": 0.9, "perhaps": 0.4}.get(text, 0.1)
        probs = {"math": p, "other": 1 - p}
        label = max(probs, key=probs.__getitem__)
        return Encoding({"domain": Classification(label, probs[label], probs)}, {"domain": 1}, tokens=1, windowed=False)


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(wiring, "load_encoder", lambda _: Reader())
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


def judge(policy: Path, texts: list[str], models: tuple[str, ...] = ("w", "s"), **names: str) -> policies.Verdicts:
    return policies.judge(policy, policy.parent, texts, models, names or {"small": "w", "large": "s"})


def test_choices_are_the_routers(policy: Path) -> None:
    found = judge(policy, ["math", "perhaps", "story", "half \ud800 pair", ""])
    assert found.choice.tolist() == [1, 0, 0, 0, 0]
    assert found.preference[:3, 1].tolist() == pytest.approx([0.9, 0.4, 0.1])
    assert found.confidence[:3, 1].tolist() == pytest.approx([0.9, 0.0, 0.0])


def test_names_that_agree_need_no_mapping(policy: Path) -> None:
    found = policies.judge(policy, policy.parent, ["math"], ("large", "small"), {})
    assert found.choice.tolist() == [0]


def test_a_choice_without_scores_is_said(policy: Path) -> None:
    with pytest.raises(StartupError, match="--as large=MODEL"):
        judge(policy, ["math"], models=("w",), small="w")
    with pytest.raises(
        StartupError, match=r"the policy has no model smal \(did you mean 'small'\?\); it has small, large"
    ):
        judge(policy, ["math"], smal="s")
    with pytest.raises(StartupError, match="the data has no model x; it has w, s"):
        judge(policy, ["math"], small="x")


def test_interruption_keeps_what_was_decided(policy: Path) -> None:
    assert len(judge(policy, ["math", "story", "stop", "math"]).choice) == 2
    with pytest.raises(KeyboardInterrupt):
        judge(policy, ["stop"])
