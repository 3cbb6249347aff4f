from __future__ import annotations

import pytest
from pydantic import ValidationError

from extproc_router.candidates import ReasoningStyle
from extproc_router.config import model_schema

LEAST = {"name": "a", "cluster": "c"}


def test_a_name_and_a_cluster_are_enough() -> None:
    model = model_schema.Model.model_validate(LEAST)
    assert (model.served_name, model.adapters, model.privacy, model.quality, model.reasoning) == (
        None,
        [],
        None,
        None,
        None,
    )


@pytest.mark.parametrize("style", list(ReasoningStyle))
def test_reasoning_is_a_style_or_a_mapping(style: ReasoningStyle) -> None:
    short = model_schema.Model.model_validate({**LEAST, "reasoning": str(style)})
    long = model_schema.Model.model_validate({**LEAST, "reasoning": {"style": str(style)}})
    assert short.reasoning == style
    assert isinstance(long.reasoning, model_schema.ReasoningMembers)
    assert (long.reasoning.effort_on, long.reasoning.effort_off) == ("medium", "low")


@pytest.mark.parametrize("quality", [0, 1, 0.5, {"default": 0.5}, {"math": 1, "law": 0.0}])
def test_quality_is_a_number_or_a_table(quality: object) -> None:
    assert model_schema.Model.model_validate({**LEAST, "quality": quality}).quality == quality


@pytest.mark.parametrize("quality", [1.01, -0.01, True, "0.5", {"math": 2}, {"": 0.5}, [0.5]])
def test_and_nothing_else(quality: object) -> None:
    with pytest.raises(ValidationError):
        model_schema.Model.model_validate({**LEAST, "quality": quality})
