from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config import loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit, Judge

MODE = "processing_mode."


def mode(**changes: str) -> Callable[[Edit], object]:
    return lambda edit: edit.ext_proc["processing_mode"].update(changes)


def rules(**changes: Any) -> Callable[[Edit], object]:
    return lambda edit: edit.ext_proc["mutation_rules"].update(changes)


def service(**changes: Any) -> Callable[[Edit], object]:
    return lambda edit: edit.ext_proc.update(grpc_service=changes)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (mode(request_body_mode="NONE"), MODE + "request_body_mode", "NONE: prompts are read in BUFFERED alone"),
        (mode(request_body_mode="STREAMED"), MODE + "request_body_mode", "STREAMED"),
        (mode(request_body_mode="BUFFERED_PARTIAL"), MODE + "request_body_mode", "BUFFERED_PARTIAL"),
        (mode(request_body_mode="FULL_DUPLEX_STREAMED"), MODE + "request_body_mode", "FULL_DUPLEX_STREAMED"),
        (lambda e: e.ext_proc.pop("processing_mode"), MODE + "request_body_mode", "NONE"),
        (mode(request_header_mode="SKIP"), MODE + "request_header_mode", "before the body is read"),
        (lambda e: e.ext_proc.update(route_cache_action="RETAIN"), "route_cache_action", "keeps its route"),
        (lambda e: e.ext_proc.update(disable_clear_route_cache=True), "disable_clear_route_cache", "keeps its route"),
        (lambda e: e.ext_proc.update(observability_mode=True), "observability_mode", "ignores"),
        (lambda e: e.ext_proc.update(message_timeout="0.05s"), "message_timeout", "50 ms is not above"),
        (lambda e: e.ext_proc.update(message_timeout="0s"), "message_timeout", "0 ms is not above"),
        (lambda e: e.ext_proc.pop("metadata_options"), "receiving_namespaces.untyped", "access log"),
        (lambda e: e.ext_proc.pop("mutation_rules"), "mutation_rules", "disallow_all"),
        (rules(disallow_all=False), "mutation_rules", "disallow_all"),
        (rules(allow_expression={"regex": "("}), "allow_expression", "Envoy refuses '(': missing )"),
        (rules(allow_expression={"regex": "(?!x).*"}), "allow_expression", "invalid perl operator"),
        (rules(disallow_expression={"regex": "["}), "disallow_expression", "Envoy refuses '['"),
        (service(envoy_grpc={"cluster_name": "extproc_ruter"}), "cluster_name", "did you mean 'extproc_router'?"),
        (service(envoy_grpc={}), "cluster_name", "there is no cluster ''"),
        (service(), "grpc_service", "speaks gRPC"),
        (lambda e: e.ext_proc.pop("grpc_service"), "grpc_service", "speaks gRPC"),
        (lambda e: e.ext_proc.update(failure_mode_alow=True), "ext_proc", "failure_mode_alow"),
        (lambda e: e.ext_proc.update(message_timeout="soon"), "ext_proc", "Envoy does not know this"),
        (lambda e: e.ext_proc.update(message_timeout=3), "ext_proc", "Envoy does not know this"),
        (lambda e: e.ext_proc.update(processing_mode=3), "ext_proc", "Envoy does not know this"),
        (lambda e: e.ext_proc.update(processing_mode=[]), "ext_proc", ""),
        (mode(request_body_mode="LOUD"), "ext_proc", "LOUD"),
        (rules(allow_expression="x"), "ext_proc", "Envoy does not know this"),
        (rules(allow_expression={"regex": 3}), "ext_proc", "Envoy does not know this"),
    ],
)
def test_what_would_make_decisions_come_to_nothing(
    judge: Judge, change: Callable[[Edit], object], field: str, says: str
) -> None:
    [mistake] = judge(change).mistakes
    assert mistake.field.endswith(field)
    assert says in mistake.message


def test_every_header_that_may_not_be_set_is_named(judge: Judge) -> None:
    report = judge(rules(allow_expression={"regex": "^x-selected-cluster$"}))
    assert [mistake.message.split(",")[0] for mistake in report.mistakes] == [
        "does not allow content-encoding",
        "does not allow content-length",
        "does not allow retry-after",
        "does not allow x-envoy-max-retries",
        "does not allow x-envoy-upstream-rq-per-try-timeout-ms",
        "does not allow x-llm-chain",
        "does not allow x-llm-decision",
    ]
    report = judge(rules(disallow_expression={"regex": "content-.*"}))
    assert len(report.mistakes) == 2


@pytest.mark.parametrize("regex", [".*", r"[\pL-]+", "(?i)[A-Z-]+", "(((.+)+)+)+"])
def test_an_expression_is_read_as_envoy_reads_it(judge: Judge, regex: str) -> None:
    assert judge(rules(allow_expression={"regex": regex})).mistakes == ()


def test_a_mistake_stands_at_its_line(judge: Judge, root: Any) -> None:
    del root
    [mistake] = judge(mode(request_body_mode="NONE")).mistakes
    with open(mistake.file) as file:  # noqa: PTH123 - a name, as it is printed
        assert file.readlines()[mistake.line - 1].strip() == "request_body_mode: NONE"


def test_where_the_router_is_may_be_out_of_sight(judge: Judge) -> None:
    assert ["google_grpc" in note.message for note in judge(service(google_grpc={"target_uri": "x"})).notes] == [True]

    def discovered(edit: Edit) -> None:
        edit.data["dynamic_resources"] = {"cds_config": {"ads": {}}}
        edit.ext_proc["grpc_service"] = {"envoy_grpc": {"cluster_name": "elsewhere"}}

    report = judge(discovered)
    assert report.mistakes == ()
    assert any("'elsewhere' is discovered" in note.message for note in report.notes)


ASKING = """
models: [{name: a, cluster: small}]
signals:
- kind: preference
  routes: [{name: a, description: one thing}, {name: b, description: another}]
  matcher: {url: "http://127.0.0.1:1", model: m, deadline_ms: 100}
routing: {default: a}
"""


def test_a_language_model_that_is_asked_takes_its_time_too(judge: Judge) -> None:
    config = loader.load(ASKING, "r.yaml")
    [mistake] = judge(lambda edit: edit.ext_proc.update(message_timeout="0.25s"), config).mistakes
    assert "the matcher's deadline_ms (250 ms)" in mistake.message
    assert judge(lambda edit: edit.ext_proc.update(message_timeout="0.251s"), config).mistakes == ()
