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


def test_two_lines_are_enough() -> None:
    config = loader.load("models: [{name: a, cluster: c}]\nrouting: {default: a}\n", "r.yaml")
    assert config.auto == ("auto",)
    assert config.privacy_tiers == ("public",)
    assert config.written.rules == []


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


def test_mistakes_about_other_files_come_with_the_rest(changed: Callable[[str, str], str]) -> None:
    with pytest.raises(ConfigError) as caught:
        loader.load(changed("input: 0.1", "input: -1"), "r.yaml", clusters=("small",))
    assert [(mistake.line, mistake.field) for mistake in caught.value.mistakes] == [
        (7, "models.0.cost.input"),
        (10, "models.1.cluster"),
    ]


def test_a_config_that_fits_them_is_the_same_config(good: str) -> None:
    known = loader.load(good, "r.yaml", clusters=("small", "large"))
    assert known.version == loader.load(good, "r.yaml").version


def test_what_yaml_could_not_read_is_told_once(changed: Callable[[str, str], str]) -> None:
    text = changed("encoder_deadline_ms: 100", "encoder_deadline_ms: 2026-99-99, encoder_queue: ")
    assert [field for _, field, _ in mistakes(text)] == ["limits.encoder_deadline_ms", "limits.encoder_queue"]


DRAFT = """\
models: [{name: a, cluster: c}]
signals:
  - {name: bad, kind: regex, patterns: ['(']}
  - {name: words, kind: keyword, keywords: [x]}
safety:
  - {name: s, then: flag}
  - {name: t, then: nothing}
rules:
  - {name: r, use: a, percent: 0}
  - {name: r2, use: a}
  - {name: r3, us: a}
  - {name: r4, use: a}
routing: {default: a}
limits: {encoder_queue: 0}
metadata: {version: 1}
"""


def test_a_draft_has_what_is_good_with_its_place() -> None:
    drafted = loader.draft(DRAFT, "r.yaml")
    assert [mistake.line for mistake in drafted.mistakes] == [3, 7, 9, 11, 11, 14, 15]
    assert drafted.config is not None
    names = {section: [(place, entry.name) for place, entry in drafted.config.entries(section)] for section in SECTIONS}
    assert names == {
        "signals": [(1, "words")],
        "safety": [(0, "s")],
        "rules": [(1, "r2"), (3, "r4")],
    }


SECTIONS = ("signals", "safety", "rules")


@pytest.mark.parametrize("section", ["models: [{name: a}]", "auto: 3", "routing: {default: 3}", "unknown: 1"])
def test_where_all_depends_on_what_is_bad_there_is_no_draft(section: str) -> None:
    name = section.partition(":")[0]
    lines = [line for line in DRAFT.splitlines() if not line.startswith(f"{name}:")]
    drafted = loader.draft("\n".join([*lines, section]), "r.yaml")
    assert drafted.config is None
    assert len(drafted.mistakes) >= 8


def test_a_good_file_s_draft_is_its_config(good: str) -> None:
    drafted = loader.draft(good, "r.yaml")
    assert drafted.mistakes == ()
    assert drafted.config == loader.load(good, "r.yaml")
