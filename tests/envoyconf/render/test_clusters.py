from __future__ import annotations

from typing import Any

import pytest
import yaml

from extproc_router.config import loader
from extproc_router.envoyconf.render import clusters, plan

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
TEXT = """
models: [{name: a, cluster: one}, {name: b, cluster: two}, {name: c, cluster: three}, {name: d, cluster: four}]
routing: {default: a}
endpoints:
  clusters:
    two: {addresses: ["10.0.0.1:1", "10.0.0.2:2"], max_retries: 7, connect_seconds: 0.25}
    three: {protocol: http2, health_path: ""}
    four: {addresses: ["api.example.com:443"], tls: true}
"""
HOST = TEXT.replace("tls: true", "tls: true, host: a.example")


def written(text: str = TEXT, *, plain: bool = False) -> dict[str, Any]:
    planned = plan.of(loader.load(text, "r.yaml"), plain=plain)
    return {cluster["name"]: cluster for cluster in yaml.safe_load(clusters.written(planned))}


def test_each_cluster_has_its_own_servers() -> None:
    found = written()
    assert list(found) == ["one", "two", "three", "four"]
    assert [cluster["type"] for cluster in found.values()] == ["STRICT_DNS", "STATIC", "STRICT_DNS", "STRICT_DNS"]
    [group] = found["two"]["load_assignment"]["endpoints"]
    assert len(group["lb_endpoints"]) == 2
    assert found["two"]["connect_timeout"] == "0.25s"


def test_what_is_written_of_one_is_not_taken_for_another() -> None:
    found = written()
    retries = [cluster["circuit_breakers"]["thresholds"][0]["max_retries"] for cluster in found.values()]
    assert retries == [1024, 7, 1024, 1024]
    assert ["health_checks" in cluster for cluster in found.values()] == [True, True, False, True]
    assert ["transport_socket" in cluster for cluster in found.values()] == [False, False, False, True]
    spoken = [
        cluster["typed_extension_protocol_options"][OPTIONS]["explicit_http_config"] for cluster in found.values()
    ]
    assert ["http2_protocol_options" in protocol for protocol in spoken] == [False, False, True, False]


@pytest.mark.parametrize(("text", "said"), [(TEXT, {"auto_host_sni": True}), (HOST, {"sni": "a.example"})])
def test_certificates_are_checked(text: str, said: dict[str, object]) -> None:
    socket = written(text)["four"]["transport_socket"]["typed_config"]
    assert socket["auto_sni_san_validation"] is True
    assert socket["common_tls_context"]["validation_context"]["trusted_ca"]
    assert said.items() <= socket.items()


def test_authorities_may_be_a_sites_own() -> None:
    for text, path in (
        (TEXT, "/etc/ssl/certs/ca-certificates.crt"),
        (TEXT.replace("tls: true", "tls: true, ca: /a.pem"), "/a.pem"),
    ):
        context = written(text)["four"]["transport_socket"]["typed_config"]["common_tls_context"]
        assert context["validation_context"] == {"trusted_ca": {"filename": path}}


def test_health_is_asked_by_the_servers_name() -> None:
    [check] = written(HOST)["four"]["health_checks"]
    assert check["http_health_check"] == {"path": "/health", "host": "a.example"}


def test_each_cluster_has_its_own_program() -> None:
    for name, cluster in written().items():
        model, codec = cluster["typed_extension_protocol_options"][OPTIONS]["http_filters"]
        assert (model["name"], codec["name"]) == ("llm.model", "envoy.filters.http.upstream_codec")
        program = model["typed_config"]["default_source_code"]["inline_string"]
        assert f'local CLUSTER = "{name}"\n' in program
        assert "function envoy_on_response" in program


def test_plain_clusters_have_no_filters() -> None:
    for cluster in written(plain=True).values():
        assert "http_filters" not in cluster["typed_extension_protocol_options"][OPTIONS]
