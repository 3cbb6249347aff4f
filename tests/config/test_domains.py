from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.signals.base import Resources

    Review = Callable[..., tuple[list[str], list[str]]]

TEXT = """\
models:
  - {name: a, cluster: c, quality: {default: 0.5, maths: 0.4, art: 0.3}}
  - {name: b, cluster: c, adapters: [{name: l, quality: {laws: 0.9}}]}
routing:
  default: a
  domains:
    math: b
    physics: b
"""


def test_domains_are_those_that_the_signal_knows_wherever_they_are_named(review: Review) -> None:
    assert review(TEXT)[0] == [
        "2: models.0.quality.art: unknown domain 'art'; there is computer science, health, law, math",
        "2: models.0.quality.maths: unknown domain 'maths' (did you mean 'math'?)",
        "3: models.1.adapters.0.quality.laws: unknown domain 'laws' (did you mean 'law'?)",
        "8: routing.domains.physics: unknown domain 'physics'; there is computer science, health, law, math",
    ]


def test_without_the_head_the_table_is_a_mistake_and_qualities_are_nobody_s_business(
    review: Review, resources: Resources
) -> None:
    bare = replace(resources, heads=frozenset())
    assert review(TEXT, bare)[0] == [
        "6: routing.domains: the encoder artefact has no head 'domain'; it has none",
    ]


def test_a_signal_of_another_kind_may_tell_domains(review: Review) -> None:
    header = "signals: [{name: domain, kind: header, header: x-domain}]\n"
    assert review(TEXT + header)[0] == [], "its labels cannot be listed"
    listed = "signals: [{name: domain, kind: header, header: x-domain, values: [math, physics, art, maths]}]\n"
    assert [line.partition(": ")[2].partition(":")[0] for line in review(TEXT + listed)[0]] == [
        "models.1.adapters.0.quality.laws"
    ]
