"""The warnings themselves stand in tests/bad_config; here is what gets none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.compiling import Compiled

TEXT = """
privacy_tiers: [public, internal]
models: [{{name: a, cluster: c, privacy: internal}}]
signals: [{{name: words, kind: keyword, keywords: [osprey]{of}}}, {{name: team, kind: header, header: {header}}}]
safety: [{{name: s, when: {{words: true, team: x}}, then: {then}}}]
routing: {{default: a}}
"""


@pytest.mark.parametrize("of", [", of: incoming", ", of: everything"])
@pytest.mark.parametrize("then", ["block", "restrict"])
def test_what_is_meant_is_not_doubted(compiled: Callable[[str], Compiled], of: str, then: str) -> None:
    assert compiled(TEXT.format(of=of, header="x-team", then=then)).warnings == ()


def test_each_doubt_is_told_once(compiled: Callable[[str], Compiled]) -> None:
    warnings = compiled(TEXT.format(of="", header="authorization", then="block")).warnings
    assert [warning.field for warning in warnings] == ["signals.1.header", "safety.0.when"]
