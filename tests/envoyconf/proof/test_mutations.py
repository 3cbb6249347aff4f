from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof import mutations

if TYPE_CHECKING:
    from extproc_router.envoyconf.proof.mutations import Early
    from tests.envoyconf.proof.conftest import Said

CLUSTER, DECISION, CHAIN, TIER = mutations.OURS
TYPE = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
TIERS = ("public", "internal", "restricted")
JOIN: dict[str, Any] = {
    "header": {"key": TIER, "value": f"%CEL(request.headers['{TIER}'])%"},
    "append_action": "OVERWRITE_IF_EXISTS",
}


def early(said: Said, *listed: dict[str, Any]) -> Early:
    config = {"@type": TYPE, "mutations": list(listed)}
    return mutations.early(said({"early_header_mutation_extensions": [{"name": "x", "typed_config": config}]}), TIERS)


@pytest.mark.parametrize(
    ("mutation", "forged"),
    [
        ({"remove": CLUSTER}, {DECISION, CHAIN}),
        ({"remove": "X-Selected-Cluster"}, {DECISION, CHAIN}),
        ({"remove": CHAIN}, {CLUSTER, DECISION}),
        ({"remove_on_match": {"key_matcher": {"prefix": "x-llm-"}}}, {CLUSTER}),
        ({"remove_on_match": {"key_matcher": {"exact": "X-LLM-Decision", "ignore_case": True}}}, {CLUSTER, CHAIN}),
        # Names are lower case when they are compared.
        ({"remove_on_match": {"key_matcher": {"exact": "X-LLM-Decision"}}}, {CLUSTER, DECISION, CHAIN}),
        ({"remove": "x-selected-clutser"}, {CLUSTER, DECISION, CHAIN}),
    ],
)
def test_what_is_removed_no_client_can_forge(said: Said, mutation: dict[str, Any], forged: set[str]) -> None:
    assert early(said, mutation).forged == forged


def test_what_is_added_again_can_be_forged_again(said: Said) -> None:
    remove = {"remove": CLUSTER}
    add = {"append": {"header": {"key": "X-Selected-Cluster", "value": "%REQ(x-mine)%"}}}
    assert CLUSTER in early(said, remove, add).forged
    assert CLUSTER not in early(said, add, remove).forged


def test_repeated_tiers_are_joined(said: Said) -> None:
    assert early(said, {"append": JOIN}).joined
    assert not early(said).joined
    assert early(said, {"append": JOIN}).doubts == ()


@pytest.mark.parametrize("action", ["APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", 0, None])
def test_one_more_tier_lowers_none_and_has_to_be_joined(said: Said, action: object) -> None:
    more = {"append": {"header": {"key": TIER, "value": "internal"}, "append_action": action}}
    assert (early(said, {"append": JOIN}, more).joined, early(said, more, {"append": JOIN}).joined) == (False, True)
    assert early(said, more).doubts == ()


@pytest.mark.parametrize(
    "mutation",
    [
        {"remove": TIER},
        {"remove_on_match": {"key_matcher": {"prefix": "x-priv"}}},
        {"remove_on_match": {"key_matcher": {"custom": {}}}},
        {"append": {"header": {"key": TIER, "value": "public"}, "append_action": "OVERWRITE_IF_EXISTS"}},
        {"append": {"header": {"key": TIER, "value": "public"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
        {"append": JOIN | {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
        {"append": JOIN | {"append": False}},
        {"append": {"header": JOIN["header"] | {"raw_value": "eA=="}, "append_action": "OVERWRITE_IF_EXISTS"}},
        {"a_mutation_of_1_50": {}},
        {"remove": "x", "append": JOIN},
    ],
)
def test_what_may_lower_a_tier_proves_nothing(said: Said, mutation: dict[str, Any]) -> None:
    found = early(said, mutation)
    assert not found.joined
    assert any("which may lower a tier" in doubt.why for doubt in found.doubts)


@pytest.mark.parametrize(
    ("value", "action", "joined", "marked"),
    [
        ("restricted", "OVERWRITE_IF_EXISTS_OR_ADD", True, True),
        ("Restricted", 2, True, True),
        ("restricted", "OVERWRITE_IF_EXISTS", True, False),
        ("restricted", "APPEND_IF_EXISTS_OR_ADD", False, True),
        ("restricted", None, False, True),
        ("restricted", "ADD_IF_ABSENT", False, False),
        ("internal", "APPEND_IF_EXISTS_OR_ADD", False, False),
    ],
)
def test_a_listener_may_give_every_request_the_highest_tier(
    said: Said, value: str, action: object, joined: bool, marked: bool
) -> None:
    mark = {"append": {"header": {"key": TIER, "value": value}, "append_action": action}}
    found = early(said, mark)
    assert (found.joined, found.marked, found.doubts) == (joined, marked, ())
    both = early(said, mark, {"append": JOIN})
    assert (both.joined, both.marked, both.doubts) == (True, marked, ())
    assert not early(said, mark, {"remove": TIER}).marked
    assert not early(said, mark, {"append": {"header": {"key": TIER, "value": "%REQ(x)%"}, "append_action": 2}}).marked


def test_of_one_tier_none_is_the_highest(said: Said) -> None:
    config = {"@type": TYPE, "mutations": [{"append": {"header": {"key": TIER, "value": "public"}}}]}
    extensions = said({"early_header_mutation_extensions": [{"name": "x", "typed_config": config}]})
    assert not mutations.early(extensions, ("public",)).marked


def test_an_extension_of_another_kind_proves_nothing(said: Said) -> None:
    other = {"name": "x", "typed_config": {"@type": "x/y.Z"}}
    ours = {"name": "y", "typed_config": {"@type": TYPE, "mutations": [{"remove": CLUSTER}, {"append": JOIN}]}}
    found = mutations.early(said({"early_header_mutation_extensions": [ours, other]}), TIERS)
    assert (set(found.forged), found.joined, len(found.doubts)) == ({CLUSTER, DECISION, CHAIN}, False, 1)
    assert mutations.early({}, TIERS).forged == {CLUSTER, DECISION, CHAIN}


def test_headers_that_a_route_adds(said: Said) -> None:
    added = said(
        {"request_headers_to_add": [{"header": {"key": key, "value": "x"}} for key in ("X-LLM-Decision", "x")]}
    )
    [doubt] = mutations.late("routes.a", added)
    assert doubt.field == "routes.a.request_headers_to_add"
    assert doubt.why.startswith(f"writes {DECISION}, which routes go by, and too late")


def test_headers_that_a_config_mentions(said: Said) -> None:
    config = said({"a": {"rules": [{"header": "X-Privacy-Tier"}]}})["a"]
    assert mutations.mentioned(config) == [TIER]
    assert mutations.mentioned(config, ("rules", "absent")) == ["rules"]
