from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit, Judge


def verifier(**changes: Any) -> Callable[[Edit], object]:
    """Change the verifier of every cluster; None takes a field out."""

    def change(edit: Edit) -> None:
        for cluster in ("small", "large", "code"):
            config = edit.upstream(cluster)[0]["typed_config"]
            for name, value in changes.items():
                config.pop(name, None)
                if value is not None:
                    config[name] = value

    return change


def mode(**changes: str) -> Callable[[Edit], object]:
    sent = {"request_header_mode": "SEND", "response_header_mode": "SEND", "response_body_mode": "STREAMED"}
    return verifier(processing_mode={**sent, **changes})


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (verifier(failure_mode_allow=None), "failure_mode_allow", "every answer that it would judge is a 500"),
        (mode(response_body_mode="BUFFERED"), "response_body_mode", "only when it has ended"),
        (mode(response_header_mode="SKIP"), "response_header_mode", "every first answer is served"),
        (mode(request_header_mode="SKIP"), "request_header_mode", "which attempt"),
        (verifier(processing_mode=None), "response_body_mode", "the verifier sees no answer"),
        (
            verifier(send_body_without_waiting_for_header_response=None),
            "send_body_without_waiting_for_header_response",
            "wait for each other",
        ),
        (verifier(message_timeout=None), "message_timeout", "0.2 s"),
        (verifier(message_timeout="0.3s"), "message_timeout", "is 0.3 s: streams"),
        (verifier(metadata_options=None), "forwarding_namespaces.untyped", "lacks extproc_router.cascade"),
        (verifier(mutation_rules=None), "mutation_rules", "disallow_all"),
        (
            verifier(mutation_rules={"disallow_all": True, "allow_expression": {"regex": "content-.*"}}),
            "mutation_rules.allow_expression",
            "answers that are doubted are served",
        ),
        (
            verifier(mutation_rules={"disallow_all": True, "allow_expression": {"regex": "x-cascade-escalate"}}),
            "mutation_rules.allow_expression",
            "waits for the rest",
        ),
        (verifier(grpc_service={"envoy_grpc": {"cluster_name": "extproc_router"}}), "cluster_name", "is the router"),
        (verifier(grpc_service={"envoy_grpc": {"cluster_name": "x"}}), "cluster_name", "there is no cluster 'x'"),
        (verifier(nope=1), "upstream.llm.verify", "Envoy does not know this"),
    ],
)
def test_what_keeps_answers_from_being_judged(
    judge_cascade: Judge, change: Callable[[Edit], object], field: str, says: str
) -> None:
    mistakes = judge_cascade(change).mistakes
    assert {mistake.field.rpartition(field)[1:] for mistake in mistakes} == {(field, "")}
    assert all(says in mistake.message for mistake in mistakes)
