from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof import header_rules

if TYPE_CHECKING:
    from tests.envoyconf.proof.conftest import Said

ONE = {"regex": "^(x-a|content-length)$"}


@pytest.mark.parametrize(
    ("rules", "surely", "never"),
    [
        ({}, True, False),
        ({"disallow_all": True}, False, True),
        ({"disallow_all": "true"}, False, True),
        ({"disallow_all": False}, True, False),
        ({"disallow_all": True, "allow_expression": ONE}, True, False),
        ({"disallow_all": True, "allow_expression": {"regex": "x-b"}}, False, True),
        ({"disallow_all": True, "allow_expression": {"regex": "("}}, False, False),
        ({"disallow_all": True, "allow_expression": ONE, "disallow_expression": {"regex": "x-.*"}}, False, True),
        ({"disallow_expression": ONE}, False, True),
        ({"disallow_expression": {"regex": "("}}, False, False),
        # What opens a door beside the others may open this one.
        ({"disallow_all": True, "allow_all_routing": True}, False, False),
        ({"disallow_all": True, "allow_envoy": "y"}, False, False),
        ({"disallow_all": True, "allow_envoy": False, "disallow_is_error": True}, False, True),
    ],
)
def test_what_may_be_written(said: Said, rules: dict[str, Any], surely: bool, never: bool) -> None:
    read = said(rules)
    assert (header_rules.surely(read, "x-a"), header_rules.never(read, "x-a")) == (surely, never)
