from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from extproc_router.config import loader
from extproc_router.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def mistakes(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        loader.load(text, "r.yaml")
    return [(mistake.line, mistake.field, mistake.message) for mistake in caught.value.mistakes]


def test_a_good_file_says_what_it_says(good: str) -> None:
    config = loader.load(good, "r.yaml")
    small, large = config.candidates
    assert (small.name, small.cluster, small.served_name, small.clearance) == ("small-8b", "small", "small-8b", 1)
    assert (small.cost_input, small.cost_output) == (0.1, 0.3)
    assert large.clearance == 0, "without a word, a model is cleared for the lowest tier alone"
    assert config.routing.default == "small-8b"
    assert config.routing.domains == {"math": "large-70b"}
    assert config.limits.encoder_deadline_ms == 100
    assert config.limits.max_body_bytes == 8 * 1024 * 1024


def test_the_version_is_the_contents_hash(good: str) -> None:
    assert loader.load(good, "a").version == hashlib.sha256(good.encode()).hexdigest()[:12]
    assert loader.load(good, "a").version == loader.load(good.encode(), "b").version
    assert loader.load(good, "a").version != loader.load(good + "\n", "a").version


def test_ten_lines_are_enough() -> None:
    config = loader.load("models: [{name: a, cluster: c}]\nrouting: {default: a}\n", "r.yaml")
    assert config.auto == ("auto",)
    assert config.privacy_tiers == ("public",)


def test_all_mistakes_come_at_once_in_file_order() -> None:
    text = """\
auto: [auto, auto]
models:
  - {name: a, cluster: c, privacy: secret}
  - {name: a, cluster: "c c", cost: {input: -1}}
  - {name: auto, cluster: c, cots: {}}
routing: {default: b, domains: {math: x}, confidence_floor: 1.5}
limits: {encoder_queue: 0}
extra: 1
"""
    found = mistakes(text)
    assert [(line, field) for line, field, _ in found] == [
        (1, "auto.1"),
        (3, "models.0.privacy"),
        (4, "models.1.cluster"),
        (4, "models.1.cost.input"),
        (4, "models.1.name"),
        (5, "models.2.cots"),
        (5, "models.2.name"),
        (6, "routing.confidence_floor"),
        (6, "routing.default"),
        (6, "routing.domains.math"),
        (7, "limits.encoder_queue"),
        (8, "extra"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("default: small-8b", "default: small-9b", 12, "routing.default", "did you mean 'small-8b'?"),
        ("  default: small-8b\n", "", 11, "routing.default", "field required"),
        ("math: large-70b", "math: lage-70b", 15, "routing.domains.math", "did you mean 'large-70b'?"),
        ("math: large-70b", "math: 7", 15, "routing.domains.math", "valid string"),
        ("math: large-70b", "math: ''", 15, "routing.domains.math", ""),
        ("confidence_floor: 0.4", "confidence_floor: 1.01", 13, "routing.confidence_floor", "less than or equal to 1"),
        (
            "confidence_floor: 0.4",
            "confidence_floor: -0.1",
            13,
            "routing.confidence_floor",
            "greater than or equal to 0",
        ),
        ("confidence_floor: 0.4", "confidence_floor: .nan", 13, "routing.confidence_floor", "finite number"),
        ("confidence_floor: 0.4", "confidence_floor: yes", 13, "routing.confidence_floor", "valid number"),
        (
            "confidence_floor: 0.4",
            "confidence_flor: 0.4",
            13,
            "routing.confidence_flor",
            "did you mean 'confidence_floor'?",
        ),
        ("name: large-70b", "name: small-8b", 9, "models.1.name", "duplicate model 'small-8b'; first on line 5"),
        ("name: large-70b", "name: auto", 9, "models.1.name", "`auto` name"),
        ("name: large-70b", "name: ' '", 9, "models.1.name", "match pattern"),
        ("cluster: large", "clutser: large", 10, "models.1.clutser", "did you mean 'cluster'?"),
        ("cluster: large", 'cluster: "a\\nb"', 10, "models.1.cluster", "match pattern"),
        ("privacy: restricted", "privacy: restrcted", 8, "models.0.privacy", "did you mean 'restricted'?"),
        ("input: 0.1", "input: -0.1", 7, "models.0.cost.input", "greater than or equal to 0"),
        ("input: 0.1", "inptu: 0.1", 7, "models.0.cost.inptu", "did you mean 'input'?"),
        ("auto: [auto]", "auto: []", 2, "auto", "at least 1"),
        ("auto: [auto]", "auto: auto", 2, "auto", "valid list"),
        ("[public, restricted]", "[public, restricted, public]", 3, "privacy_tiers.2", "duplicate 'public'"),
        ("encoder_deadline_ms: 100", "encoder_deadline_ms: 0", 16, "limits.encoder_deadline_ms", "greater than"),
        ("encoder_deadline_ms: 100", "encoder_deadline_ms: 1.5", 16, "limits.encoder_deadline_ms", "valid integer"),
        ("encoder_deadline_ms: 100", "max_body_bytes: 10", 16, "limits.max_body_bytes", "greater than"),
        ("metadata: {name: test}", "metadata: {name: 3}", 1, "metadata.name", "valid string"),
        ("metadata: {name: test}", "metdata: {name: a}", 1, "metdata", "did you mean 'metadata'?"),
    ],
)
def test_each_mistake_stands_at_its_line_and_alone(
    changed: Callable[[str, str], str], old: str, new: str, line: int, field: str, says: str
) -> None:
    found = [mistake for mistake in mistakes(changed(old, new)) if mistake[1] == field]
    assert found, mistakes(changed(old, new))
    assert found[0][0] == line
    assert any(says in message for _, _, message in found)


def test_a_duplicate_key_is_a_mistake(good: str) -> None:
    assert (17, "auto", "duplicate key; first on line 2") in mistakes(good + "auto: [x]\n")


def test_mistakes_about_other_files_come_with_the_rest(changed: Callable[[str, str], str]) -> None:
    with pytest.raises(ConfigError) as caught:
        loader.load(changed("input: 0.1", "input: -1"), "r.yaml", labels=("law",), clusters=("small",))
    assert [(mistake.line, mistake.field) for mistake in caught.value.mistakes] == [
        (7, "models.0.cost.input"),
        (10, "models.1.cluster"),
        (15, "routing.domains.math"),
    ]


def test_a_config_that_fits_them_is_the_same_config(good: str) -> None:
    known = loader.load(good, "r.yaml", labels=("math",), clusters=("small", "large"))
    assert known.version == loader.load(good, "r.yaml").version
