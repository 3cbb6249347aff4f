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


TEXT = """\
models:
  - {name: a, cluster: smal}
  - {name: b, cluster: large}
routing:
  default: c
  domains: {maths: a, law: a}
"""


def test_names_of_other_files_are_checked_where_those_are_known() -> None:
    parsed = document.parse(TEXT, "r.yaml")
    found = list(meaning.mistakes(parsed, labels=("math", "law"), clusters=("small", "large")))
    assert [(mistake.line, mistake.field, mistake.message) for mistake in found] == [
        (2, "models.0.cluster", "unknown cluster 'smal' (did you mean 'small'?)"),
        (5, "routing.default", "unknown model 'c'"),
        (6, "routing.domains.maths", "unknown domain 'maths' (did you mean 'math'?)"),
    ]
    assert [mistake.field for mistake in meaning.mistakes(parsed)] == ["routing.default"]
    assert len(list(meaning.mistakes(parsed, labels=(), clusters=()))) == 5, "none are known, which is not unknown"
