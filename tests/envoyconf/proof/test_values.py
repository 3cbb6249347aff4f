from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc_router.envoyconf import matching
from extproc_router.envoyconf.proof import values
from extproc_router.envoyconf.proof.values import ABSENT, ANYTHING, Ranks, Value
from extproc_router.policy import privacy

if TYPE_CHECKING:
    from extproc_router.envoyconf.proof.values import HeaderTest
    from tests.envoyconf.proof.conftest import Said

TIERS = ("public", "internal", "restricted")
HEADER = "x-privacy-tier"


def one(said: Said, **matcher: Any) -> HeaderTest:
    [test] = values.tests(said({"headers": [{"name": "X-Privacy-Tier", **matcher}]}))
    return test


def of(rank: int, tiers: tuple[str, ...] = TIERS) -> Value:
    return Value(present=True, ranks=Ranks(rank, tiers))


@pytest.mark.parametrize(
    ("matcher", "lowest", "middle", "highest"),
    [
        ({"string_match": {"exact": "public"}}, None, False, False),
        ({"string_match": {"exact": "public"}, "invert_match": True}, None, True, True),
        ({"string_match": {"exact": "Internal", "ignore_case": True}}, False, None, False),
        ({"string_match": {"exact": "misspelt"}}, False, False, None),
        ({"exact_match": "public"}, None, False, False),
        ({"string_match": {"prefix": "public"}}, None, None, None),
        ({"string_match": {"prefix": "public,internal,"}}, False, None, None),
        ({"string_match": {"prefix": "restr"}}, False, False, None),
        ({"prefix_match": ""}, True, True, True),
        ({"string_match": {"suffix": "al"}}, False, None, None),
        ({"string_match": {"suffix": ",internal"}}, False, None, None),
        ({"string_match": {"contains": "intern"}}, False, None, None),
        ({"string_match": {"contains": "c,restricted,"}}, False, False, None),
        ({"string_match": {"contains": ","}}, None, None, None),
        ({"string_match": {"safe_regex": {"regex": "(?i)(internal|restricted)"}}}, False, None, None),
        ({"string_match": {"safe_regex": {"regex": ".*"}}}, True, True, True),
        ({"string_match": {"safe_regex": {"regex": ".+"}}}, True, True, None),
        ({"safe_regex_match": {"regex": "[a-z]*"}}, None, None, None),
        ({"present_match": True}, True, True, True),
        ({"present_match": False}, False, False, False),
        ({"present_match": True, "invert_match": True}, False, False, False),
        ({}, True, True, True),
        # Not understood.
        ({"string_match": {"custom": {}}}, None, None, None),
        ({"string_match": {"exact": "public", "aField": 1}}, None, None, None),
        ({"range_match": {"start": 1, "end": 2}}, None, None, None),
        ({"exact_match": "public", "prefix_match": "p"}, None, None, None),
        ({"string_match": {"exact": "públic", "ignore_case": True}}, None, None, None),
        ({"present_match": True, "treat_missing_header_as_empty": True}, None, None, None),
    ],
)
def test_all_values_of_a_rank_are_judged_at_once(
    said: Said, matcher: dict[str, Any], lowest: bool | None, middle: bool | None, highest: bool | None
) -> None:
    test = one(said, **matcher)
    assert test.name == HEADER
    assert [test.judge(of(rank)) for rank in range(3)] == [lowest, middle, highest]


@pytest.mark.parametrize(
    ("matcher", "answer"),
    [
        ({"string_match": {"exact": "public"}}, False),
        ({"string_match": {"exact": "public"}, "invert_match": True}, False),
        ({"string_match": {"exact": "public"}, "invert_match": True, "treat_missing_header_as_empty": True}, True),
        ({"present_match": True}, False),
        ({"present_match": False}, True),
        ({"string_match": {"custom": {}}}, None),
    ],
)
def test_a_header_that_is_missing(said: Said, matcher: dict[str, Any], answer: bool | None) -> None:
    assert one(said, **matcher).judge(ABSENT) is answer


def test_what_is_not_known_is_neither_yes_nor_no(said: Said) -> None:
    some = Value(present=True)
    assert one(said, present_match=True).judge(ANYTHING) is None
    assert one(said, present_match=True).judge(some) is True
    assert one(said, string_match={"exact": "x"}).judge(some) is None
    assert one(said, string_match={"prefix": ""}).judge(some) is True


def test_one_value_is_judged_as_envoy_does(said: Said) -> None:
    test = one(said, string_match={"exact": "Small", "ignore_case": True})
    assert test.compares
    assert [test.judge(Value(present=True, text=text)) for text in ("small", "large", "small")] == [True, False, True]


def test_what_is_no_header_matcher_tests_no_header_of_ours(said: Said) -> None:
    assert [test.name for test in values.tests(said({"headers": ["junk", {"name": 3}, {}]}))] == ["", "", ""]
    assert values.tests({}) == []


PIECES = st.sampled_from([*TIERS, "Public", "RESTRICTED", "", " ", ",", "misspelt", "intern", "al", "public,", "9"])
MATCHERS = st.builds(
    lambda kind, text, fold, invert: {
        "string_match": {kind: {"regex": text} if kind == "safe_regex" else text, "ignore_case": fold},
        "invert_match": invert,
    },
    st.sampled_from(["exact", "prefix", "suffix", "contains", "safe_regex"]),
    st.lists(PIECES, max_size=3).map("".join),
    st.booleans(),
    st.booleans(),
)


@given(matcher=MATCHERS, header=st.lists(PIECES, min_size=1, max_size=4).map("".join), count=st.integers(1, 3))
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_contradicts_what_is_said_of_all(said: Said, matcher: dict[str, Any], header: str, count: int) -> None:
    tiers = TIERS[:count]
    test = one(said, **matcher)
    answer = test.judge(of(privacy.tier_of(header, tiers), tiers))
    assert answer in (None, matching.header(test.place, header))


def test_every_list_of_names_is_found_where_it_may_be(said: Said) -> None:
    for names in (list(some) for count in (1, 2, 3) for some in permutations(TIERS, count)):
        header = ",".join(names)
        rank = privacy.tier_of(header, TIERS)
        for kind in ("exact", "prefix", "suffix", "contains"):
            assert one(said, string_match={kind: header}).judge(of(rank)) is not False


def test_truths_are_read_as_envoy_reads_them(said: Said) -> None:
    assert one(said, present_match="n").judge(of(2)) is False
    assert one(said, present_match=True, invert_match="true").judge(of(2)) is False
    assert one(said, present_match=True, invert_match="Y").judge(ABSENT) is True
    for word in ("invert_match", "treat_missing_header_as_empty", "present_match"):
        assert one(said, **{word: 1}).judge(of(2)) is None
