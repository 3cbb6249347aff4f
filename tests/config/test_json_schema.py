from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from extproc_router import signals
from extproc_router.config import json_schema, loader
from extproc_router.lab.envoy_file import REPOSITORY
from extproc_router.policy import pickers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = json.loads(json_schema.text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EXAMPLES = [REPOSITORY / "examples/quickstart.yaml", *sorted((REPOSITORY / "examples").glob("*/router.yaml"))]
HEAD = "models: [{name: a, cluster: c}]\nrouting: {default: a}\n"


def objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "properties" in part and part.get("type") == "object":
            yield part
        for value in part.values():
            yield from objects(value)
    elif isinstance(part, list):
        for value in part:
            yield from objects(value)


def test_the_committed_file_is_fresh(root: Path) -> None:
    """`extproc-router schema > docs/router.schema.json` makes it so."""
    assert (root / "docs/router.schema.json").read_text() == json_schema.text()


def test_it_is_the_same_bytes_each_time() -> None:
    text = json_schema.text()
    assert text == json_schema.text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_it_is_a_schema_and_says_of_what() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["title"]
    assert SCHEMA["description"]


def test_objects_are_closed_and_every_field_is_described() -> None:
    for part in objects(SCHEMA):
        if part is not SCHEMA["$defs"]["When"]:  # names of signals are members of it
            assert part["additionalProperties"] is False, part
        for name, field in part["properties"].items():
            assert field.get("description") or name in ("kind", "pick"), name


def test_kinds_and_strategies_are_told_apart_by_one_word() -> None:
    kinds = [
        SCHEMA["$defs"][entry["$ref"].rpartition("/")[2]] for entry in SCHEMA["properties"]["signals"]["items"]["oneOf"]
    ]
    assert [kind["properties"]["kind"]["const"] for kind in kinds] == list(signals.KINDS)
    uses = [entry for entry in SCHEMA["$defs"]["Rule"]["properties"]["use"]["oneOf"] if "$ref" in entry]
    strategies = [SCHEMA["$defs"][entry["$ref"].rpartition("/")[2]] for entry in uses]
    assert [strategy["properties"]["pick"]["const"] for strategy in strategies] == list(pickers.KINDS)
    assert all("kind" in kind["required"] for kind in kinds)
    assert all("pick" in strategy["required"] for strategy in strategies)


def test_signals_that_exist_undeclared_are_offered_in_conditions() -> None:
    when = SCHEMA["$defs"]["When"]["properties"]
    assert set(when) == {"all", "any", "not", *signals.BUILT_IN}
    assert all(when[name]["description"] for name in when)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_every_example_is_as_it_says(file: Path) -> None:
    loader.load(file.read_bytes(), str(file))
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(file.read_text()))] == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize(
    "text",
    [
        "rule: []\n",
        "rules: [{name: r, use: a, when: null}]\n",
        "rules: [{name: r, use: {pick: cheapest}}]\n",
        "rules: [{name: r, use: {pick: hash, by: conversation, at: 0.5}}]\n",
        "rules: [{name: r, use: a, percent: 0}]\n",
        "rules: [{name: r, use: a, when: {domain: {abov: 1}}}]\n",
        "rules: [{name: r, use: a, when: {domain: {}, any: []}}]\n",
        "signals: [{name: s, kind: keyword, patterns: [a]}]\n",
        "safety: [{name: s, then: deny}]\n",
        "metadata: {a: 1}\n",
        "auto: [' a']\n",
    ],
)
def test_what_the_loader_refuses_by_its_shape_the_schema_refuses_too(text: str) -> None:
    assert loader.draft(HEAD + text, "r.yaml").mistakes
    assert list(VALIDATOR.iter_errors(yaml.safe_load(HEAD + text)))
