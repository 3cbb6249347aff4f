from __future__ import annotations

import pytest
from pydantic import ValidationError

from extproc_router.cases.schema import Case, Expect, Reading


def test_what_is_left_out_has_its_default() -> None:
    case = Case.model_validate({"name": "a", "prompt": "hi", "expect": {"model": "m"}})
    assert (case.path, case.model, case.stream, case.headers, case.signals, case.after) == (
        "/v1/chat/completions",
        "auto",
        False,
        {},
        {},
        [],
    )


@pytest.mark.parametrize(
    "value", [True, 0.8, 3, "math", ["a", "b"], {"label": "math", "confidence": 0.4}, {"label": True}]
)
def test_a_signal_is_given_in_any_of_its_shapes(value: object) -> None:
    case = Case.model_validate({"name": "a", "prompt": "hi", "signals": {"s": value}, "expect": {"model": "m"}})
    assert isinstance(case.signals["s"], Reading) == isinstance(value, dict)


def test_an_empty_rule_is_an_expectation() -> None:
    assert Expect.model_validate({"rule": ""}).rule == ""
    with pytest.raises(ValidationError, match="expects nothing"):
        Expect.model_validate({})


def test_every_field_of_what_users_write_is_described() -> None:
    for section in (Case, Expect, Reading):
        undescribed = {name for name, field in section.model_fields.items() if not field.description}
        assert undescribed <= {"signals", "body", "expect"}
