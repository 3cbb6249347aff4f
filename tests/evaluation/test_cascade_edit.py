from __future__ import annotations

import pytest
import yaml
from msgspec.structs import replace

from extproc_router.errors import StartupError
from extproc_router.evaluation import cascade_edit
from extproc_router.evaluation.calibrate import Calibration, Effect, Expected, Goal
from extproc_router.evaluation.cascade_calibrate import CascadeCalibration

_EFFECT = Effect(0.3, 0.98, 0.5)
_CALIBRATION = Calibration(
    n=100, goal=Goal.QUALITY, value=0.98, threshold=-0.4, sample=_EFFECT, expected=Expected((0.2, 0.4), None, None),
    requests=100, margin=0.01, rounds=100, rounds_asked=100, seed=0,
)  # fmt: skip
FOUND = CascadeCalibration(0.4375, {"intercept": 0.5, "hedges": -0.1}, 0.8, 0.1, _CALIBRATION)
RULES = """# why
rules:
  - {name: hard, use: large}
  - name: rest  # most
    use: [small, large]
    cascade:
      first_tokens: 16  # few
"""


def changed(text: str, rule: str = "rest", found: CascadeCalibration = FOUND) -> str:
    return cascade_edit.changed(text, rule, found, "policy.yaml")


@pytest.mark.parametrize(
    "verifier",
    ["", "verifier:\n  ignore: [truncated]\n", "verifier:\n  weights:\n    hedges: -9.0  # old\n", "verifier:\n"],
)
def test_only_what_was_found_changes(verifier: str) -> None:
    text = RULES + verifier
    after = changed(text)
    document, before = yaml.safe_load(after), yaml.safe_load(text)
    assert document["verifier"]["weights"] == FOUND.weights
    assert document["rules"][1].pop("cascade") == {"accept_at": 0.4375, "first_tokens": 16}
    before["rules"][1].pop("cascade")
    assert document["rules"] == before["rules"]
    assert "# few" in after
    assert ("ignore" in (document["verifier"])) == ("ignore" in verifier)


def test_twice_is_once() -> None:
    once = changed(RULES)
    assert changed(once) == once
    other = replace(FOUND, accept_at=0.5)
    assert yaml.safe_load(changed(once, found=other))["rules"][1]["cascade"]["accept_at"] == 0.5


@pytest.mark.parametrize(
    ("text", "rule", "why"),
    [
        (RULES, "rset", "rest"),
        (RULES, "hard", "cascade"),
        ("rules: [", "rest", "not YAML"),
        ("[]", "rest", "not a policy"),
        ("rules: 1", "rest", "no rule"),
        (RULES + "verifier: 3\n", "rest", "verifier"),
    ],
)
def test_what_cannot_be_changed_is_told(text: str, rule: str, why: str) -> None:
    with pytest.raises(StartupError, match=why):
        changed(text, rule)
