from __future__ import annotations

import re

import pytest
import yaml

from extproc_router.envoyconf.render import templates

BLOCK = """\
- name: a
  list: &list
  - x
  - y
  map: &map
    # a reason
    a: 1
  end: true
- &item
  name: b
"""
AGAIN = BLOCK.replace("    # a reason\n", "")


def test_what_was_written_before_becomes_an_alias() -> None:
    known: dict[str, list[str]] = {}
    first, second = templates.once(BLOCK, known), templates.once(AGAIN, known)
    assert first == BLOCK
    assert second == "- name: a\n  list: *list\n  map: *map\n  end: true\n- *item\n"
    assert yaml.safe_load(first + second) == 2 * yaml.safe_load(BLOCK)


def test_another_block_has_another_anchor() -> None:
    known: dict[str, list[str]] = {}
    other = BLOCK.replace("- x", "- z")
    written = "".join(templates.once(text, known) for text in (BLOCK, other, other, BLOCK))
    assert re.findall(r"[&*]list\w*", written) == ["&list", "&list_2", "*list_2", "*list"]
    assert yaml.safe_load(written) == yaml.safe_load(BLOCK) + 2 * yaml.safe_load(other) + yaml.safe_load(BLOCK)


@pytest.mark.parametrize("name", ["envoy", "cluster"])
def test_conditions_are_closed(name: str) -> None:
    marks = [
        line.split()[1] for line in templates.source(f"templates/{name}.yaml").splitlines() if line.startswith("#:")
    ]
    depth = 0
    for mark in marks:
        depth += {"if": 1, "end": -1, "else": 0}[mark]
        assert depth >= (0 if mark == "end" else 1)
    assert depth == 0


@pytest.mark.parametrize("name", ["envoy", "cluster"])
def test_comments_are_read_in_columns_that_people_have(name: str) -> None:
    lines = templates.source(f"templates/{name}.yaml").splitlines()
    assert [line for line in lines if line.lstrip().startswith("#") and len(line) > 120] == []
