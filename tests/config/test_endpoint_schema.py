from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from extproc_router.config import endpoint_schema
from extproc_router.config.endpoint_schema import ClusterEndpoint, Endpoints


@pytest.mark.parametrize(
    "address", ["vllm-small:8000", "10.0.0.1:1", "[::1]:65535", "a.b.c:80", "unix:/run/a-{worker}.sock"]
)
def test_addresses_that_envoy_can_reach(address: str) -> None:
    assert Endpoints(router=address).router == address


def test_certificates_are_files_where_envoy_runs() -> None:
    assert ClusterEndpoint(tls=True, ca="/etc/tls/house-ca.pem").ca == "/etc/tls/house-ca.pem"
    for path in ("ca.pem", "", "/a b", "/a\n"):
        with pytest.raises(ValidationError):
            ClusterEndpoint(tls=True, ca=path)


@pytest.mark.parametrize("address", ["a", "a:", ":80", "a:0", "a:65536", "unix:a", "unix:/a b", "a b:1", "http://a:1"])
def test_addresses_that_it_cannot(address: str) -> None:
    with pytest.raises(ValidationError):
        Endpoints(router=address)


def test_listeners_want_ip_addresses() -> None:
    assert Endpoints(listen="[::]:8080").listen
    with pytest.raises(ValidationError):
        Endpoints(listen="localhost:8080")


def test_ports_are_those_that_there_are() -> None:
    port = re.compile(endpoint_schema.LISTENED.rpartition(":")[2].removesuffix("$"))
    assert [number for number in range(100_000) if port.fullmatch(str(number))] == list(range(1, 65536))


def test_a_cluster_that_is_not_written_has_the_defaults() -> None:
    endpoints = Endpoints(clusters={"a": ClusterEndpoint(tls=True)})
    assert endpoints.of("a").tls
    assert endpoints.of("b") == ClusterEndpoint()
    assert endpoints.of("b").max_retries == 1024
