from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from extproc_router import wiring
from extproc_router.cli.common import SHIPPED_MODEL
from extproc_router.config import compiling, loader
from extproc_router.errors import ConfigError
from extproc_router.policy.rules import Fallback
from extproc_router.signals import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.config.compiling import Compiled
    from extproc_router.signals.base import Resources

    Review = Callable[..., tuple[list[str], list[str]]]

HEAD = "models: [{name: a, cluster: c}]\nrouting: {default: a}\n"


def test_signals_exist_undeclared_and_declared_ones_stand_in_their_place(compiled: Callable[[str], Compiled]) -> None:
    assert set(compiled(HEAD).readers) == set(BUILT_IN)
    declared = compiled(
        f"{HEAD}signals: [{{kind: pii, names: false}}, {{name: words, kind: keyword, keywords: [x]}}]\n"
    )
    assert set(declared.readers) == {*BUILT_IN, "words"}
    assert declared.readers["pii"].cost < compiled(HEAD).readers["pii"].cost


def test_those_of_kind_pii_redact(compiled: Callable[[str], Compiled]) -> None:
    assert set(compiled(f"{HEAD}signals: [{{name: secrets, kind: pii, types: [SECRET]}}]\n").redactors) == {
        "pii",
        "secrets",
    }


MATCHED = """\
privacy_tiers: [public, internal, restricted]
signals:
  - {name: low, kind: preference, routes: [{name: r, description: d}], matcher: {url: "http://x:1", model: m}}
  - name: high
    kind: preference
    routes: [{name: r, description: d}]
    matcher: {url: "http://x:1", model: m, privacy: internal}
  - {name: none, kind: preference, routes: [{name: r, description: d}]}
"""


def test_a_language_model_may_see_the_lowest_tier_unless_it_says(compiled: Callable[[str], Compiled]) -> None:
    assert compiled(HEAD + MATCHED).matchers == {"low": 0, "high": 1}


@pytest.mark.parametrize(
    ("sticky_by", "means"), [("none", None), ("conversation", "conversation"), ("header:x-user", "header:x-user")]
)
def test_what_conversations_are_told_apart_by(
    compiled: Callable[[str], Compiled], sticky_by: str, means: str | None
) -> None:
    text = HEAD.replace("{default: a}", f"{{default: a, sticky_by: {sticky_by}}}")
    assert compiled(text).sticky_by == means


def test_tokens_are_counted_where_a_model_has_a_window(compiled: Callable[[str], Compiled]) -> None:
    assert not compiled(HEAD).counts_tokens
    assert compiled(HEAD.replace("cluster: c", "cluster: c, context_window: 1024")).counts_tokens


def test_heads_that_the_artefact_lacks_are_missed_by_those_alone_who_use_them(
    review: Review, resources: Resources
) -> None:
    bare = replace(resources, heads=frozenset({"domain"}))
    assert review(HEAD, bare) == ([], [])
    text = """\
models: [{name: a, cluster: c, reasoning: thinking}]
signals:
  - {name: gate, kind: jailbreak}
safety:
  - {name: s, when: {gate: true}, then: block}
  - {name: t, then: redact}
rules:
  - {name: r, when: {difficulty: {above: 0.5}}, use: a}
  - {name: thinks, use: a, reasoning: auto}
  - {name: q, use: {pick: threshold, strong: a, weak: b, at: 0.5}}
routing: {default: a}
"""
    lacks = "the encoder artefact has no head {!r}; it has domain"
    assert review(text.replace("weak: b", "weak: a2").replace("thinking}", "thinking, adapters: [{name: a2}]}"), bare)[
        0
    ] == [
        f"3: signals.0: {lacks.format('jailbreak')}",
        "6: safety.1.signal: 'pii' is no signal of kind pii",
        f"8: rules.0.when.difficulty: {lacks.format('difficulty')}",
        f"9: rules.1.reasoning: {lacks.format('reasoning')}",
        f"10: rules.2.use.signal: {lacks.format('difficulty')}",
    ]


def test_all_mistakes_come_at_once(resources: Resources) -> None:
    text = f"{HEAD}rules: [{{name: r, use: b}}, {{name: s, use: a, when: {{nothing: true}}}}]\n"
    with pytest.raises(ConfigError) as caught:
        compiling.compile_config(loader.load(text, "r.yaml"), resources)
    assert [mistake.field for mistake in caught.value.mistakes] == ["rules.0.use", "rules.1.when.nothing"]


def test_the_shipped_artefact_reads_for_every_example(root: Path) -> None:
    encoder = wiring.load_encoder(SHIPPED_MODEL)
    for file in (root / "examples/quickstart.yaml", *sorted((root / "examples").glob("*/router.yaml"))):
        compiled = wiring.compile_config(wiring.read_config(file), encoder)
        assert compiled.warnings == (), file
    floors = {name: reader.floor for name, reader in compiled.readers.items() if reader.floor}
    assert floors == {"domain": encoder.confidence_floor}


def test_the_floor_that_a_config_writes_stands_in_the_artefact_s_place(good: str) -> None:
    encoder = wiring.load_encoder(SHIPPED_MODEL)
    compiled = wiring.compile_config(loader.load(good, "r.yaml"), encoder)
    assert compiled.readers["domain"].floor == 0.4


def test_what_is_tried_where_a_model_fails(compiled: Callable[[str], Compiled], good: str) -> None:
    assert compiled(good).policy.fallback == Fallback((), 3, 15.0, 300.0, on_context_length=False)
    written = (
        "fallback: {models: [large-70b], attempts: 2, stream_seconds: 5, answer_seconds: 60, on_context_length: true}"
    )
    fallback = compiled(f"{good}{written}\n").policy.fallback
    assert fallback == Fallback(("large-70b",), 2, 5.0, 60.0, on_context_length=True)
