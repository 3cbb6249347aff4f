from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof import addresses

if TYPE_CHECKING:
    from tests.envoyconf.conftest import Read


def socket(host: str, port: Any = 10001) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def endpoints(address: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    endpoint = {"address": address, "additional_addresses": [{"address": each} for each in more]}
    return {"endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]}


@pytest.mark.parametrize(
    ("listener", "address", "reached"),
    [
        (socket("127.0.0.1"), socket("127.0.0.1"), True),
        (socket("127.0.0.1"), socket("127.0.0.1", "10001"), True),
        (socket("127.0.0.1"), socket("127.0.0.1", 10002), False),
        (socket("127.0.0.1"), socket("LOCALHOST"), True),
        (socket("127.0.0.1"), socket("localhost."), True),
        (socket("127.0.0.1"), socket("::1"), True),
        (socket("127.0.0.1"), socket("::ffff:127.0.0.1"), True),
        (socket("127.0.0.1"), socket("0.0.0.0"), True),
        (socket("127.0.0.1"), socket("a.name"), True),
        (socket("127.0.0.1"), socket("10.0.0.1"), False),
        (socket("127.0.0.1"), {"socket_address": {"address": "localhost", "named_port": "http"}}, True),
        (socket("0.0.0.0"), socket("127.0.0.1"), True),
        (socket("::"), socket("localhost"), True),
        (socket("0.0.0.0"), socket("a.name"), False),
        (socket("10.0.0.1"), socket("10.0.0.1"), True),
        (socket("10.0.0.1"), socket("127.0.0.1"), False),
        (socket("127.0.0.1"), {"socketAddress": {"address": "127.0.0.1", "portValue": 10001}}, True),
        ({"pipe": {"path": "/run/a.sock"}}, {"pipe": {"path": "/run//b/../a.sock"}}, True),
        ({"pipe": {"path": "/run/a.sock"}}, {"pipe": {"path": "/run/b.sock"}}, False),
    ],
)
def test_what_leads_back(read: Read, listener: dict[str, Any], address: dict[str, Any], reached: bool) -> None:
    own = addresses.of(read({"listeners": [{"name": "l", "address": listener}]}).get("listeners"))
    assert own.reached(read(endpoints(address))) is reached
    assert own.reached(read(endpoints(socket("10.9.9.9"), address))) is reached
    more = {"address": socket("10.9.9.8"), "additional_addresses": [{"address": listener}]}
    assert addresses.of(read({"listeners": [more]}).get("listeners")).reached(read(endpoints(address))) is reached


def test_where_health_is_asked_is_no_endpoint(read: Read) -> None:
    own = addresses.of(read({"listeners": [{"address": socket("127.0.0.1")}]}).get("listeners"))
    endpoint = {"address": socket("10.0.0.1"), "health_check_config": {"address": socket("127.0.0.1")}}
    assert not own.reached(read({"endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]}))
    assert own.reached(read({"named_endpoints": {"x": {"address": socket("127.0.0.1")}}}))
    assert addresses.of(None).reached(read(endpoints(socket("127.0.0.1")))) is False


def test_hosts_of_endpoints(read: Read) -> None:
    found = addresses.hosts(read(endpoints(socket("Router.Example"), socket("10.0.0.1"), {"pipe": {"path": "/a"}})))
    assert list(found) == ["router.example", "10.0.0.1", "localhost"]
