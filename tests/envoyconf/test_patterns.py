from __future__ import annotations

import pytest

from extproc_router.envoyconf import patterns


@pytest.mark.parametrize("regex", [r"\pL+", "(?U)a+", "[[:alpha:]]+", "(?s).*", r"a+\z"])
def test_what_only_re2_knows_is_read_as_envoy_reads_it(regex: str) -> None:
    assert patterns.compiled(regex).fullmatch("aaa")


@pytest.mark.parametrize("regex", ["(", "[", "(?!a)a", r"(a)\1", "(?P<n>a", "a{1001}", None, 3, "\ud800"])
def test_what_envoy_refuses_is_refused_with_a_reason(regex: object) -> None:
    with pytest.raises(patterns.BadPattern) as caught:
        patterns.compiled(regex)
    assert str(caught.value)


def test_no_expression_is_slow() -> None:
    assert not patterns.compiled("(((a+)+)+)+!").fullmatch("a" * 100_000)
