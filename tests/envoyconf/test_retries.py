from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.loader import Config
    from tests.envoyconf.conftest import Edit, Judge


def policy(route: str, **changes: Any) -> Callable[[Edit], object]:
    return lambda edit: edit.route(route)["route"]["retry_policy"].update(changes)


def named(name: str) -> list[dict[str, Any]]:
    return [{"name": name, "string_match": {"exact": "1"}}]


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (policy("chain", refresh_cluster_on_retry=False), "chain.retry_policy.refresh_cluster_on_retry", "same model"),
        (
            policy("chain", retry_on="retriable-status-codes,retriable-headers"),
            "chain.retry_policy.retry_on",
            "lacks reset",
        ),
        (
            policy("chain", retriable_status_codes=[503]),
            "chain.retry_policy.retriable_status_codes",
            "lacks 429, 500, 502, 504",
        ),
        (
            policy("cascade", retriable_headers=named("x-llm-next")),
            "cascade.retry_policy.retriable_headers",
            "an answer that is doubted is served",
        ),
        (
            policy("cascade", retriable_headers=named("x-cascade-escalate")),
            "cascade.retry_policy.retriable_headers.x-llm-next",
            "a prompt too long for the model is a 400",
        ),
        (
            policy("chain", retriable_headers=[*named("x-llm-next"), *named("x-cascade-escalate")]),
            "chain.retry_policy.retriable_headers",
            "names x-cascade-escalate: where a model server sends it",
        ),
        (
            lambda e: e.host["retry_policy"].update(retriable_headers=named("x-again")),
            "decided.retry_policy.retriable_headers",
            "names x-again",
        ),
        (
            lambda e: e.route("cascade")["route"].update(hedge_policy={"hedge_on_per_try_timeout": True}),
            "cascade.hedge_policy",
            "ends Envoy 1.40",
        ),
        (
            lambda e: e.route("chain")["route"].update(hedge_policy={"hedge_on_per_try_timeout": True}),
            "chain.hedge_policy",
            "asked again while it is waited for, and no other",
        ),
        (
            policy("chain", rate_limited_retry_back_off={"reset_headers": [{"name": "retry-after"}]}),
            "chain.retry_policy.rate_limited_retry_back_off",
            "waited for as long as it says",
        ),
        (
            policy(
                "cascade",
                retriable_headers=[
                    {"name": "x-cascade-escalate", "string_match": {"exact": "yes"}},
                    *named("x-llm-next"),
                ],
            ),
            "cascade.retry_policy.retriable_headers",
            "an answer that is doubted is served",
        ),
    ],
)
def test_what_becomes_of_a_second_attempt(
    judge_cascade: Judge, change: Callable[[Edit], object], field: str, says: str
) -> None:
    [mistake] = [mistake for mistake in judge_cascade(change).mistakes if mistake.field.endswith(f"routes.{field}")]
    assert says in mistake.message


def test_the_hosts_policy_counts_where_a_route_has_none(judge_cascade: Judge) -> None:
    mistakes = judge_cascade(lambda e: e.route("chain")["route"].pop("retry_policy")).mistakes
    fields = [mistake.field.removeprefix("virtual_hosts.llm.routes.chain.retry_policy.") for mistake in mistakes]
    assert {"retry_on", "retriable_status_codes", "refresh_cluster_on_retry", "retriable_headers.x-llm-next"} == set(
        fields
    )


def test_no_policy_at_all_is_told_once(judge: Judge) -> None:
    def change(edit: Edit) -> None:
        edit.host.pop("retry_policy")
        edit.route("chain")["route"].pop("retry_policy")

    [mistake] = judge(change).mistakes
    assert "the client gets its error" in mistake.message


def test_5xx_means_all_of_them(judge: Judge) -> None:
    change = policy("chain", retry_on="5xx,retriable-status-codes", retriable_status_codes=[429])
    assert judge(change).mistakes == ()


def thresholds(*found: dict[str, Any]) -> Callable[[Edit], object]:
    return lambda edit: edit.cluster("large").update(circuit_breakers={"thresholds": list(found)})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: e.cluster("large").pop("circuit_breakers"), "is Envoy's default, 3: "),
        (thresholds(), "is Envoy's default, 3: "),
        (thresholds({"max_requests": 4096}), "is Envoy's default, 3: "),
        (thresholds({"priority": "HIGH", "max_retries": 1024}), "is Envoy's default, 3: "),
        (thresholds({"max_retries": 1023}), "is 1023: "),
        (thresholds({"max_retries": "many"}), "is many: "),
    ],
)
def test_breakers_drop_attempts_silently(judge: Judge, change: Callable[[Edit], object], says: str) -> None:
    [mistake] = judge(change).mistakes
    assert mistake.field == "clusters.large.circuit_breakers.max_retries"
    assert says in mistake.message
    assert mistake.message.endswith("the client gets the first model's error")


def test_enough_is_enough(judge: Judge) -> None:
    assert judge(thresholds({"max_retries": "1024"})).mistakes == ()


def test_a_budget_is_noted(judge: Judge) -> None:
    report = judge(thresholds({"retry_budget": {}}))
    assert report.mistakes == ()
    assert ["retry_budget" in note.message for note in report.notes] == [True]


def test_a_plain_file_needs_no_breakers(judge: Judge, quickstart: Config) -> None:
    def change(edit: Edit) -> None:
        edit.take("chain")
        edit.cluster("large").pop("circuit_breakers")

    assert judge(change, quickstart).mistakes == ()
