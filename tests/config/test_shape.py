from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from extproc_router.config import document, schema, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Review = Callable[..., tuple[list[str], list[str]]]

HEAD = "models: [{name: a, cluster: c}]\nrouting: {default: a}\n"


def patterns(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "pattern":
                yield value
            elif key == "patternProperties":
                yield from value
            yield from patterns(value)
    elif isinstance(part, list):
        for value in part:
            yield from patterns(value)


def test_every_pattern_has_words() -> None:
    """A regular expression tells nobody what to write."""
    assert set(patterns(schema.File.model_json_schema())) <= set(shape._PATTERNS)


def test_what_is_said_in_the_library_s_words_is_said_on_purpose(root: Any) -> None:
    stated = "".join(file.read_text() for file in (root / "tests/bad_config").glob("*.yaml"))
    assert not re.search(r"Input should|should (have|match)|valid (string|list|dictionary)|permitted", stated)


@pytest.mark.parametrize("key", ["[mapping]", "[a]", "[key]", "\x1b[2J", ""])
def test_keys_that_look_like_variants_are_unknown_fields_like_others(key: str, review: Review) -> None:
    written = json.dumps(key)
    assert len(review(f"{HEAD}{written}: 1\n")[0]) == 1
    [nested] = review(f"{HEAD}rules: [{{name: r, use: a, when: {{domain: {{{written}: 1}}}}}}]\n")[0]
    assert nested.startswith("3: rules.0.when.domain.")
    assert "unknown field" in nested


def test_a_location_of_pydantic_s_is_a_path_of_the_file() -> None:
    data = {"rules": [{"use": {"pick": "split", "shares": {"[a]": 200}}}]}
    location = ("rules", 0, "use", "[split]", "shares", "[a]")
    assert shape.path_in(data, location) == ("rules", 0, "use", "shares", "[a]")
    assert shape.path_in(data, ("rules", 0, "use", "[split]", "among", "[key]")) == ("rules", 0, "use", "among")


def test_every_variant_of_a_union_but_the_one_meant_is_silent() -> None:
    """One mistake in each entry gives one mistake each, however many kinds, strategies and shapes there are."""
    parsed = document.parse(
        """\
models: [{name: a, cluster: c, quality: {math: 2}, reasoning: {style: x}}]
signals: [{kind: keyword, keywords: {a: b}}, {kind: regex, patterns: [1]}, {kind: pii, score: 2}]
rules:
  - {name: r, use: {pick: hash, by: 1}, reasoning: {mode: 3}, when: {a: {above: x}}}
routing: {default: a}
""",
        "r.yaml",
    )
    with pytest.raises(ValidationError) as caught:
        schema.File.model_validate(parsed.data)
    found = sorted(mistake.field for mistake in shape.mistakes(parsed, caught.value))
    assert found == [
        "models.0.quality.math",
        "models.0.reasoning.style",
        "rules.0.reasoning.mode",
        "rules.0.use.by",
        "rules.0.when.a.above",
        "signals.0.keywords.a",
        "signals.1.patterns.0",
        "signals.2.score",
    ]
