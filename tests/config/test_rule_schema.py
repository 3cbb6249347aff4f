from __future__ import annotations

import pytest
from pydantic import ValidationError

from extproc_router.config import rule_schema
from extproc_router.policy import pickers

LEAST = {"name": "r", "use": "a"}


def test_each_strategy_may_be_used_among_models() -> None:
    assert set(rule_schema.USES) == set(pickers.KINDS)
    for use in rule_schema.USES.values():
        assert "among" in use.model_fields


@pytest.mark.parametrize(
    "use",
    [
        "a",
        ["a", "b"],
        {"pick": "static"},
        {"pick": "static", "among": ["a"]},
        {"pick": "static", "among": {"tags": ["x"]}},
    ],
)
def test_a_rule_uses_a_model_several_or_a_strategy(use: object) -> None:
    rule_schema.Rule.model_validate({"name": "r", "use": use})


@pytest.mark.parametrize(
    "use", ["", [], [[]], {}, {"pick": ["static"]}, {"pick": "static", "among": []}, 3, None, True]
)
def test_and_nothing_else(use: object) -> None:
    with pytest.raises(ValidationError) as caught:
        rule_schema.Rule.model_validate({"name": "r", "use": use})
    assert len(caught.value.errors()) == 1


@pytest.mark.parametrize("mode", ["auto", "on", "off", True, False])
def test_reasoning_is_written_short_or_long(mode: object) -> None:
    """YAML 1.1 reads a bare on as true: both are taken."""
    assert rule_schema.Rule.model_validate({**LEAST, "reasoning": mode}).reasoning == mode
    long = rule_schema.Rule.model_validate({**LEAST, "reasoning": {"mode": mode, "override_client": True}}).reasoning
    assert isinstance(long, rule_schema.Gate)
    assert (long.mode, long.override_client) == (mode, True)


@pytest.mark.parametrize("reasoning", ["yes", 1, [], {}, {"mode": 1}])
def test_each_bad_way_is_one_mistake(reasoning: object) -> None:
    with pytest.raises(ValidationError) as caught:
        rule_schema.Rule.model_validate({**LEAST, "reasoning": reasoning})
    assert len(caught.value.errors()) == 1


@pytest.mark.parametrize("percent", [0, -1, 100.1, 101, "10", True])
def test_a_share_of_nothing_or_of_more_than_all_is_none(percent: object) -> None:
    with pytest.raises(ValidationError):
        rule_schema.Rule.model_validate({**LEAST, "percent": percent})
