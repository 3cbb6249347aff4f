from __future__ import annotations

import re

from extproc_router.verifier.signs.refusal_patterns import PATTERNS


def test_each_is_an_expression_of_its_own() -> None:
    for pattern in PATTERNS:
        assert not re.compile(pattern).fullmatch("")
        assert re.compile(pattern).groups == 0


def test_they_are_written_for_lower_case() -> None:
    assert [pattern for pattern in PATTERNS if re.sub(r"\\.", "", pattern) != re.sub(r"\\.", "", pattern).lower()] == []
