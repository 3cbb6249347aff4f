from __future__ import annotations

import pytest

from extproc_router.config import document, meaning


@pytest.mark.parametrize(
    "text",
    [
        "models: 3\n",
        "models: [3, null]\n",
        "routing: []\n",
        "routing: {domains: 3}\n",
        "auto: {}\nprivacy_tiers: 1\n",
        "a: 1\n",
    ],
)
def test_values_of_wrong_types_are_left_to_the_shape(text: str) -> None:
    assert list(meaning.mistakes(document.parse(text, "r.yaml"))) == []


def test_a_near_name_is_offered_and_a_far_one_is_not() -> None:
    assert meaning.did_you_mean("smal", ["small", "large", 3]) == " (did you mean 'small'?)"
    assert meaning.did_you_mean("xyz", ["small", "large"]) == ""
