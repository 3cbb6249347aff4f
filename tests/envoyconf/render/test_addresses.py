from __future__ import annotations

import pytest
import yaml

from extproc_router.config.endpoint_schema import ClusterEndpoint
from extproc_router.envoyconf.render import addresses


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("unix:/run/a.sock", {"pipe": {"path": "/run/a.sock"}}),
        ("10.0.0.1:80", {"socket_address": {"address": "10.0.0.1", "port_value": 80}}),
        ("[::1]:80", {"socket_address": {"address": "::1", "port_value": 80}}),
        ("vllm-small:8000", {"socket_address": {"address": "vllm-small", "port_value": 8000}}),
        ("1:80", {"socket_address": {"address": "1", "port_value": 80}}),
    ],
)
def test_addresses_are_envoys(address: str, written: object) -> None:
    assert yaml.safe_load(addresses.written(address)) == written


def test_names_have_to_be_resolved() -> None:
    assert addresses.is_static(["10.0.0.1:1", "[::1]:1", "unix:/a"])
    assert not addresses.is_static(["10.0.0.1:1", "a:1"])


def test_sockets_and_names_are_of_two_kinds() -> None:
    assert addresses.are_of_a_kind(["a:1", "10.0.0.1:1"])
    assert addresses.are_of_a_kind(["unix:/a", "10.0.0.1:1"])
    assert not addresses.are_of_a_kind(["unix:/a", "a:1"])


def test_workers_have_addresses_as_serve_makes_them() -> None:
    assert addresses.of_workers("unix:/a-{worker}", 2) == ("unix:/a-0", "unix:/a-1")
    assert addresses.of_workers("127.0.0.1:1", 2) == ("127.0.0.1:1",)
    assert addresses.can_be_shared("127.0.0.1:1")
    assert not addresses.can_be_shared("unix:/a")


def test_a_cluster_is_found_under_its_name() -> None:
    assert addresses.of_cluster("a", ClusterEndpoint()) == ("a:8000",)
    assert addresses.of_cluster("a", ClusterEndpoint(addresses=["b:1", "b:1", "c:1"])) == ("b:1", "c:1")
    assert addresses.is_host("a-b")
    assert not addresses.is_host("outbound|80||a")


@pytest.mark.parametrize(
    ("one", "other", "collide"),
    [
        ("0.0.0.0:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "[::]:80", True),
        ("[::1]:80", "[0:0::1]:80", True),
        ("127.0.0.1:80", "127.0.0.2:80", False),
        ("0.0.0.0:80", "0.0.0.0:81", False),
    ],
)
def test_two_servers_cannot_share_a_port(one: str, other: str, *, collide: bool) -> None:
    assert addresses.collide(one, other) is collide
    assert addresses.collide(other, one) is collide
