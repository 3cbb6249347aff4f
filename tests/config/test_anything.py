"""Whatever is written, it is a config or it is mistakes; and what a config says is what it says when written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc_router import signals
from extproc_router.config import fields, loader
from extproc_router.config.document import MAX_BYTES, MAX_MISTAKES
from extproc_router.config.schema import File
from extproc_router.errors import ConfigError
from extproc_router.lab.envoy_file import REPOSITORY
from extproc_router.policy import pickers

if TYPE_CHECKING:
    from collections.abc import Callable

    Review = Callable[..., tuple[list[str], list[str]]]

EXAMPLES = [
    yaml.safe_load(file.read_text())
    for file in (REPOSITORY / "examples/quickstart.yaml", *sorted((REPOSITORY / "examples").glob("*/router.yaml")))
]
WORDS = sorted(
    {"all", "any", "not", "above", "any_of", "tags", "auto", "default", "math", "small-8b", "small", "pii", "x"}
    | set(File.model_fields)
    | set(signals.KINDS)
    | set(pickers.KINDS)
    | {name for section in ("models", "rules", "safety") for name in fields.known_at((section, 0))}
    | {name for kind in signals.KINDS for name in fields.known_at(("signals", 0, f"[{kind}]"))}
    | {name for pick in pickers.KINDS for name in fields.known_at(("rules", 0, "use", f"[{pick}]"))}
)


class Dumper(yaml.SafeDumper):
    """Writes everything out, where PyYAML would write anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def dumped(structure: Any) -> str:
    return yaml.dump(structure, Dumper=Dumper, allow_unicode=True, sort_keys=False)


words = st.sampled_from(WORDS)
scalars = st.one_of(
    words,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=8),
    st.binary(max_size=4),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(words, scalars), inner, max_size=4)),
    max_leaves=12,
)


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        found += places(value, (*path, key))
    return found


def with_another(part: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = dict(part) if isinstance(part, dict) else list(part)
    copied[path[0]] = with_another(part[path[0]], path[1:], value)
    return copied


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A good config with another value in one place or two."""
    config = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 2))):
        config = with_another(config, draw(st.sampled_from(places(config))), draw(anything))
    return config


@settings(max_examples=300)
@given(st.one_of(anything, st.dictionaries(st.sampled_from(list(File.model_fields)), anything), spoilt()))
def test_any_structure_is_a_config_or_mistakes(review: Review, structure: Any) -> None:
    mistakes, _ = review(dumped(structure))
    assert len(mistakes) <= 2 * MAX_MISTAKES
    assert all(line.split(": ")[0].isdigit() for line in mistakes)


def written(file: File) -> str:
    plain = file.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped(plain)


def is_round(text: str) -> bool:
    config = loader.load(text, "r.yaml")
    again = loader.load(written(config.written), "r.yaml")
    return (again.written, again.candidates, again.auto, again.privacy_tiers, again.routing, again.limits) == (
        config.written,
        config.candidates,
        config.auto,
        config.privacy_tiers,
        config.routing,
        config.limits,
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_written_anew_says_the_same(example: Any) -> None:
    assert is_round(dumped(example))


@settings(max_examples=300)
@given(spoilt())
def test_so_does_whatever_is_still_a_config(structure: Any) -> None:
    text = dumped(structure)
    try:
        loader.load(text, "r.yaml")
    except ConfigError:
        return
    assert is_round(text)


names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=12)
prices = st.floats(0, 1000)
shares = st.floats(0, 1)


@st.composite
def valid(draw: st.DrawFn) -> dict[str, Any]:
    """A config with a bit of everything."""
    models = draw(st.lists(names, min_size=2, max_size=5, unique=True))
    tiers = draw(st.lists(names.filter(lambda name: "," not in name), min_size=1, max_size=3, unique_by=str.casefold))
    model = st.fixed_dictionaries(
        {"cluster": st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)},
        optional={
            "cost": st.fixed_dictionaries({}, optional={"input": prices, "output": prices}),
            "quality": st.one_of(shares, st.dictionaries(names, shares, min_size=1)),
            "privacy": st.sampled_from(tiers),
            "context_window": st.integers(16, 10**6),
            "modalities": st.lists(st.sampled_from(["image", "audio"]), unique=True),
            "reasoning": st.sampled_from(["thinking", {"style": "anthropic", "budget_tokens": 2048}]),
            "tags": st.lists(names, max_size=3),
        },
    )
    test = st.one_of(
        st.booleans(),
        names,
        st.lists(names, min_size=1, max_size=3),
        st.integers(0, 9),
        st.fixed_dictionaries(
            {"above": prices}, optional={"none_of": st.lists(names, min_size=1), "confidence": shares}
        ),
    )
    condition = st.recursive(
        st.dictionaries(st.from_regex(r"[b-m][a-z]{3,8}", fullmatch=True), test, max_size=2),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=2), "not": inner}),
            st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=2)}),
        ),
        max_leaves=3,
    )
    chosen = st.sampled_from(models)
    use = st.one_of(
        chosen,
        st.lists(chosen, min_size=1, max_size=3),
        st.fixed_dictionaries({"pick": st.just("cheapest_above"), "quality": shares}),
        st.fixed_dictionaries(
            {"pick": st.just("static"), "among": st.fixed_dictionaries({"tags": st.lists(names, min_size=1)})}
        ),
        st.just({"pick": "threshold", "strong": models[0], "weak": models[1], "at": 0.5}),
    )
    rule = st.fixed_dictionaries(
        {"use": use},
        optional={
            "when": condition,
            "reasoning": st.one_of(
                st.booleans(), st.sampled_from(["auto", "on", {"mode": "off", "override_client": True}])
            ),
            "percent": st.floats(0.01, 100),
            "system_prefix": st.text(max_size=20),
            "max_tokens": st.integers(1, 10**6),
            "shadow": st.booleans(),
        },
    )
    safety = st.fixed_dictionaries({"then": st.sampled_from(["block", "flag"])}, optional={"when": condition})
    named = draw(st.lists(names, max_size=3, unique=True))
    return {
        "privacy_tiers": tiers,
        "auto": ["auto of this test"],
        "models": [{"name": name, **draw(model)} for name in models],
        "rules": [{"name": name, **draw(rule)} for name in named],
        "safety": [{"name": name, **draw(safety)} for name in named],
        "routing": {"default": draw(chosen), "domains": draw(st.dictionaries(names, chosen, max_size=2))},
        "metadata": draw(st.dictionaries(names, st.text(max_size=10), max_size=2)),
    }


@given(valid())
def test_a_valid_config_written_anew_is_the_same(structure: Any) -> None:
    assert is_round(dumped(structure))


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "x" * (MAX_BYTES - 10),
        "\n".join(f"k{number}: 1" for number in range(20_000)),
        "models:\n" + "- {privacy: x, name: a}\n" * 10_000,
        "rules: [" + "1," * 100_000 + "]",
        "routing: {domains: {" + ", ".join(f"k{number}: x{number}" for number in range(10_000)) + "}}",
        "auto: [" + ", ".join(f"a{number}" for number in range(20_000)) + "]\nmodels: [{name: a7, cluster: c}]",
    ],
    ids=["text", "fields", "models", "rules", "domains", "auto"],
)
def test_large_files_are_told_to_be_bad_within_bounds(text: str, review: Review) -> None:
    """They take seconds, not hours: nothing compares all with all."""
    mistakes, _ = review(text)
    assert 0 < len(mistakes) <= MAX_MISTAKES
