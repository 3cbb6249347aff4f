from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof import sockets

if TYPE_CHECKING:
    from tests.envoyconf.proof.conftest import Said

SOCKETS = "type.googleapis.com/envoy.extensions.transport_sockets"


def socket(name: str) -> dict[str, Any]:
    return {"name": "x", "typed_config": {"@type": f"{SOCKETS}.{name}"}}


def wrapped(name: str) -> dict[str, Any]:
    outer = socket("proxy_protocol.v3.ProxyProtocolUpstreamTransport")
    outer["typed_config"]["transport_socket"] = socket(name)
    return {"transport_socket": outer}


@pytest.mark.parametrize(
    ("config", "whys"),
    [
        ({}, []),
        ({"transport_socket": socket("tls.v3.UpstreamTlsContext")}, []),
        ({"transport_socket": socket("tap.v3.Tap")}, ["Tap is not understood"]),
        (
            {
                "transport_socket": {
                    "name": "x",
                    "typed_config": {
                        "@type": f"{SOCKETS}.tls.v3.UpstreamTlsContext",
                        "common_tls_context": {"key_log": {"path": "/tmp/keys"}},  # noqa: S108 - not opened
                    },
                }
            },
            ["with the keys that it writes, others can read requests on their way: take it out"],
        ),
        ({"transport_socket": {"name": "x"}}, ["? is not understood"]),
        (wrapped("raw_buffer.v3.RawBuffer"), []),
        (wrapped("tap.v3.Tap"), ["Tap is not understood"]),
        (
            {
                "transport_socket_matches": [
                    {"transport_socket": socket(f"{name}")} for name in ("tap.v3.Tap", "raw_buffer.v3.RawBuffer")
                ]
            },
            ["Tap is not understood"],
        ),
    ],
)
def test_what_may_copy_bytes_is_told(said: Said, config: dict[str, Any], whys: list[str]) -> None:
    assert [doubt.why for doubt in sockets.doubts("clusters.a", said(config))] == whys
