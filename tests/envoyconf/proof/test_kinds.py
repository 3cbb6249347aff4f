from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.envoyconf.proof import duty, kinds
from extproc_router.envoyconf.proof.mutations import Early
from extproc_router.envoyconf.proof.values import ABSENT, ANYTHING, Value
from extproc_router.policy import privacy

if TYPE_CHECKING:
    from tests.envoyconf.proof.conftest import Compile

CLEAN = Early(frozenset(), joined=True, marked=False, doubts=())


def ranks(compiled: Compile, text: str, early: Early = CLEAN) -> list[tuple[int, bool | None]]:
    found = kinds.silent(duty.of(compiled(text)), early)
    return [(kind.rank, kind.values[privacy.HEADER].present) for kind in found]


def test_without_rules_the_lowest_tier_may_go_anywhere(compiled: Compile) -> None:
    assert ranks(compiled, "tiers") == [(2, True), (1, True)]


@pytest.mark.parametrize("text", ["restricts", "blocks"])
def test_with_rules_nothing_may_that_nobody_read(compiled: Compile, text: str) -> None:
    assert ranks(compiled, text) == [(0, False), (0, True), (2, True), (1, True)]


@pytest.mark.parametrize("text", ["tiers", "restricts", "blocks"])
def test_where_every_request_is_marked_there_is_one_kind(compiled: Compile, text: str) -> None:
    assert ranks(compiled, text, Early(frozenset(), joined=True, marked=True, doubts=())) == [(2, True)]


def test_each_example_is_of_its_kind(compiled: Compile) -> None:
    found = duty.of(compiled("restricts"))
    for kind in kinds.silent(found, CLEAN):
        assert kind.examples
        assert {privacy.tier_of(example, found.tiers) for example in kind.examples} == {kind.rank}
        shown = kind.shown(kind.examples[0]).values[privacy.HEADER]
        assert (shown.present, shown.text) == (kind.examples[0] is not None, kind.examples[0])


def test_what_clients_can_forge_may_be_there(compiled: Compile) -> None:
    forged = Early(frozenset({"x-selected-cluster"}), joined=False, marked=False, doubts=())
    for kind in kinds.silent(duty.of(compiled("tiers")), forged):
        assert kind.values["x-selected-cluster"] == ANYTHING
        assert kind.values["x-llm-decision"] == ABSENT
        assert kind.values[privacy.HEADER].ranks is None


def test_a_decision_stands_whatever_the_client_said() -> None:
    values = kinds.decided("small")
    assert (values["x-selected-cluster"].text, values[privacy.HEADER]) == ("small", ANYTHING)
    assert set(kinds.asked().values()) == {ABSENT}


@pytest.mark.parametrize(("forged", "first"), [((), ABSENT), (("x-llm-chain",), ANYTHING)])
def test_a_chain_is_named_by_the_router_or_by_whoever_can(forged: tuple[str, ...], first: Value) -> None:
    early = Early(frozenset(forged), joined=True, marked=False, doubts=())
    none, *own = kinds.chains(early)
    assert (none, [value.text for value in own]) == (first, ["fallback", "cascade"])
    assert [kinds.decided("small", value)["x-llm-chain"] for value in own] == own
    assert kinds.decided("small")["x-llm-chain"] == ABSENT
