from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.slow_clients import LEAST_BYTES, LEAST_CONNECTION_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.loader import Config
    from tests.envoyconf.conftest import Edit, Judge

CONNECTION = "per_connection_buffer_limit_bytes"


def connection(limit: Any) -> Callable[[Edit], object]:
    return lambda edit: edit.listener.update({CONNECTION: limit})


def verifier(limit: Any) -> Callable[[Edit], object]:
    return lambda edit: edit.cluster("extproc_router_verifier").update({CONNECTION: limit})


def window(size: Any) -> Callable[[Edit], object]:
    return lambda edit: edit.manager["http2_protocol_options"].update(initial_stream_window_size=size)


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (lambda edit: edit.listener.pop(CONNECTION), f"listeners.llm.{CONNECTION}", "is 1048576: a client"),
        (connection(LEAST_CONNECTION_BYTES - 1), f"listeners.llm.{CONNECTION}", "has Envoy 1.40 crash"),
        (window(LEAST_BYTES - 1), "http2_protocol_options.initial_stream_window_size", "has Envoy 1.40 crash"),
        (
            lambda edit: edit.cluster("extproc_router_verifier").pop(CONNECTION),
            f"clusters.extproc_router_verifier.{CONNECTION}",
            "is 1048576: a verifier that is behind",
        ),
        (
            verifier(LEAST_CONNECTION_BYTES - 1),
            f"clusters.extproc_router_verifier.{CONNECTION}",
            f"(write {LEAST_CONNECTION_BYTES})",
        ),
        (window(65536), "http2_protocol_options.initial_stream_window_size", "is 65536: a client"),
    ],
)
def test_what_a_slow_client_ends(judge_cascade: Judge, change: Callable[[Edit], object], field: str, says: str) -> None:
    [mistake] = judge_cascade(change).mistakes
    assert mistake.field == field
    assert says in mistake.message


@pytest.mark.parametrize(
    "change",
    [
        connection(0),
        verifier(0),
        verifier(LEAST_CONNECTION_BYTES),
        connection(str(LEAST_CONNECTION_BYTES)),
        window(2**31 - 1),
        lambda edit: edit.manager["http2_protocol_options"].pop("initial_stream_window_size"),
        lambda edit: edit.manager.pop("http2_protocol_options"),
    ],
)
def test_what_none_ends(judge_cascade: Judge, change: Callable[[Edit], object]) -> None:
    assert judge_cascade(change).mistakes == ()


def test_without_cascades_it_is_no_matter(judge_cascade: Judge, uncascaded: Config) -> None:
    assert judge_cascade(connection(65536), uncascaded).mistakes == ()
