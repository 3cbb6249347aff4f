"""The benchmark's upstream: an Envoy that answers by itself, so that no simulator is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extproc_router.lab.envoy_file import Bootstrap


def bootstrap(port: int, admin_port: int) -> Bootstrap:
    """An Envoy that reads each request to its end and answers 200 with a short JSON body."""
    types = "type.googleapis.com/envoy.extensions.filters"
    direct = {"status": 200, "body": {"inline_string": '{"object":"chat.completion"}'}}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "upstream",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": direct}]}
            ]
        },
        "http_filters": [
            # Without it the answer would overtake the request's body, and Envoy would close the connection.
            {
                "name": "envoy.filters.http.buffer",
                "typed_config": {"@type": f"{types}.http.buffer.v3.Buffer", "max_request_bytes": 16_777_216},
            },
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}},
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
        "static_resources": {
            "listeners": [
                {
                    "name": "upstream",
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                    "filter_chains": [chain],
                }
            ]
        },
    }
