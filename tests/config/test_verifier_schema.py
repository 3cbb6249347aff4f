from __future__ import annotations

import pytest
from pydantic import ValidationError

from extproc_router.config.verifier_schema import Verifier, Weights


def test_everything_has_a_default() -> None:
    written = Verifier()
    assert (written.ignore, written.refusal_phrases, written.weights) == ([], [], Weights())


@pytest.mark.parametrize(
    "written",
    [
        {"ignore": ["hedges"]},
        {"refusal_phrases": ["   "]},
        {"refusal_phrases": ["***"]},
        {"weights": {"mean_logprobs": 1.0}},
        {"weights": {"mean_logprob": 1e9}},
        {"weights": {"intercept": float("nan")}},
    ],
)
def test_mistakes_are_told(written: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Verifier.model_validate(written)


def test_everything_is_described() -> None:
    for section in (Verifier, Weights):
        assert all(field.description for field in section.model_fields.values())
