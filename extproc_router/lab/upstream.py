"""The benchmark's upstream: an Envoy that answers by itself, so that no simulator is measured."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from extproc_router.lab import stack
from extproc_router.lab.envoy_file import save
from extproc_router.lab.probes import envoy_is_ready, free_ports
from extproc_router.lab.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from extproc_router.lab.envoy_file import Bootstrap

SHORT = '{"object":"chat.completion"}'
LONGEST_BYTES = 1024 * 1024
"""Of an answer."""

_TYPES = "type.googleapis.com/envoy.extensions.filters"


@contextmanager
def running(directory: Path, answers: Sequence[str] = (SHORT,)) -> Iterator[list[int]]:
    """Run it until the block ends; returns a port of 127.0.0.1 for each answer.

    Args:
        directory: for its config and log.
        answers: JSON texts, of `LONGEST_BYTES` at most.

    Raises:
        StartupError: it ended or was not ready in time.
    """
    *ports, admin_port = free_ports(len(answers) + 1)
    more = dict(zip(ports[1:], answers[1:], strict=True))
    config = save(bootstrap(ports[0], admin_port, answers[0], more), directory / "upstream.yaml")
    with stack.start_envoy(config, directory=directory, name="upstream") as child:
        wait_until(lambda: envoy_is_ready(admin_port), child, seconds=stack.READY_SECONDS)
        yield ports


def bootstrap(port: int, admin_port: int, answer: str = SHORT, more: Mapping[int, str] | None = None) -> Bootstrap:
    """An Envoy that reads each request to its end and answers 200 with a JSON body.

    Args:
        port: that it listens on.
        admin_port: of its admin interface.
        answer: the body.
        more: further ports, and what they answer with.
    """
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {"listeners": [_listener(*each) for each in ((port, answer), *(more or {}).items())]},
    }


def _listener(port: int, answer: str) -> dict[str, Any]:
    direct = {"status": 200, "body": {"inline_string": answer}}
    manager = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "upstream",
        "route_config": {
            "max_direct_response_body_size_bytes": LONGEST_BYTES,
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "direct_response": direct,
                            "response_headers_to_add": [
                                {
                                    "header": {"key": "content-type", "value": "application/json"},
                                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                                }
                            ],
                        }
                    ],
                }
            ],
        },
        "http_filters": [
            # Without it the answer would overtake the request's body, and Envoy would close the connection.
            {
                "name": "envoy.filters.http.buffer",
                "typed_config": {"@type": f"{_TYPES}.http.buffer.v3.Buffer", "max_request_bytes": 16_777_216},
            },
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"}},
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": f"upstream-{port}", "address": _address(port), "filter_chains": [chain]}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
