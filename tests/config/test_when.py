from __future__ import annotations

import pytest
from pydantic import ValidationError

from extproc_router.config.when import Comparison, When


@pytest.mark.parametrize("value", [True, False, "math", ["math", "law"], 3, 0.5])
def test_a_signal_is_tested_short(value: object) -> None:
    written = When.model_validate({"signal": value})
    assert written.__pydantic_extra__ == {"signal": value}


def test_or_long() -> None:
    written = When.model_validate({"signal": {"above": 1, "any_of": ["a"], "confidence": 0.5}})
    assert written.__pydantic_extra__ == {"signal": Comparison(above=1, any_of=["a"], confidence=0.5)}


def test_conditions_nest() -> None:
    written = When.model_validate({"all": [{"any": [{"a": True}]}], "not": {"not": {"b": "x"}}, "c": False})
    assert written.all is not None
    assert written.all[0].any == [When.model_validate({"a": True})]
    assert written.not_ is not None
    assert written.not_.not_ == When.model_validate({"b": "x"})


@pytest.mark.parametrize(
    "value", [None, [], [3], [["a"]], "", {"above": "x"}, {"any_of": []}, {"nothing": 1}, float("nan")]
)
def test_each_bad_test_is_one_mistake(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        When.model_validate({"signal": value})
    assert len(caught.value.errors()) == 1


@pytest.mark.parametrize("written", [{"all": []}, {"any": {}}, {"not": []}, [], "always", {"all": [3]}])
def test_and_so_is_each_bad_nesting(written: object) -> None:
    with pytest.raises(ValidationError) as caught:
        When.model_validate(written)
    assert len(caught.value.errors()) == 1
