from __future__ import annotations

import pytest

from extproc_router.config import document, meaning


@pytest.mark.parametrize(
    "text",
    [
        "models: 3\n",
        "models: [3, null]\n",
        "models: [{name: [a], adapters: 3, privacy: 1}]\n",
        "routing: []\n",
        "routing: {domains: 3, default: x}\n",
        "auto: {}\nprivacy_tiers: 1\n",
        "auto: [1, 1, [x], [x]]\n",
        "rules: [1, {name: 2}]\nsafety: x\nsignals: [{kind: 3}]\n",
        "a: 1\n",
    ],
)
def test_values_of_wrong_types_are_left_to_the_shape(text: str) -> None:
    assert list(meaning.mistakes(document.parse(text, "r.yaml"))) == []


def test_a_near_name_is_offered_and_a_far_one_is_not() -> None:
    assert meaning.did_you_mean("smal", ["small", "large"]) == " (did you mean 'small'?)"
    assert meaning.did_you_mean("xyz", ["small", "large"]) == ""
    assert meaning.did_you_mean(3, ["small", "large"]) == ""
    assert meaning.did_you_mean("x" * 10_000, ["x" * 10_001]) == "", "nobody writes such a name by mistake"


TEXT = """\
models:
  - {name: a, cluster: smal}
  - {name: b, cluster: large}
routing:
  default: c
  domains: {law: a, math: d}
"""


def test_clusters_are_checked_where_they_are_known() -> None:
    parsed = document.parse(TEXT, "r.yaml")
    found = list(meaning.mistakes(parsed, clusters=("small", "large")))
    assert [(mistake.line, mistake.field, mistake.message) for mistake in found] == [
        (2, "models.0.cluster", "unknown cluster 'smal' (did you mean 'small'?)"),
        (5, "routing.default", "unknown model 'c'"),
        (6, "routing.domains.math", "unknown model 'd'"),
    ]
    assert [mistake.field for mistake in meaning.mistakes(parsed)] == ["routing.default", "routing.domains.math"]
    assert len(list(meaning.mistakes(parsed, clusters=()))) == 4, "none are known, which is not unknown"


def test_names_are_not_unknown_where_some_cannot_be_read() -> None:
    parsed = document.parse("models: [{name: a}, {name: 8}]\nrouting: {default: b}\n", "r.yaml")
    assert list(meaning.mistakes(parsed)) == []


def test_declared_signals_are_known_by_name_or_kind_with_their_mistakes() -> None:
    parsed = document.parse("signals: [{kind: pii}, {name: a, kind: no-such}, {name: 1, kind: regex}, {}, 3]\n", "r")
    assert meaning.declared_signals(parsed) == {"pii", "a", "regex"}
