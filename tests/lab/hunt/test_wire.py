from __future__ import annotations

from extproc_router.attempts import Attempt, Chain
from extproc_router.lab.hunt import wire
from extproc_router.types import Decision, Mutation, Reason

DECISION = Decision("id", "", "", "", "completions", "", "m", "c", Reason.RULE, "", "public", False, (), 0)
CHAIN = Chain((Attempt("a", "m"), Attempt("b", "n", ((1, 2, "xé"), (4, 4, "y"))), Attempt("a", "m")), 1, 1)


def test_attempts_are_read_out_of_what_envoy_is_sent() -> None:
    mutation = Mutation((("x-selected-cluster", "a"), ("x-llm-chain", "fallback")), chain=CHAIN)
    assert list(wire.attempts(DECISION, mutation, b"01234")) == [
        ("a", b"01234"),
        ("b", "0xé23y4".encode()),
        ("a", b"01234"),
    ]


def test_without_the_header_envoy_walks_no_chain() -> None:
    assert list(wire.attempts(DECISION, Mutation((("x-selected-cluster", "a"),), chain=CHAIN), b"01234")) == []


def test_a_header_without_a_chain_leads_nowhere() -> None:
    assert list(wire.attempts(DECISION, Mutation((("x-llm-chain", "fallback"),)), b"01234")) == []
