from __future__ import annotations

import pytest

from extproc_router.envoyconf.render import typed
from extproc_router.errors import StartupError

CLUSTER = "static_resources: {clusters: [{name: a, %s}]}"
ANY = """
static_resources:
  clusters:
  - name: a
    transport_socket: {name: x, typed_config: {"@type": %s}}
"""


def test_a_bootstrap_is_typed() -> None:
    read = typed.parse(CLUSTER % "connect_timeout: 1s")
    assert [cluster.name for cluster in read.static_resources.clusters] == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        "nope: 1",
        CLUSTER % "conect_timeout: 1s",
        CLUSTER % "type: STATICK",
        CLUSTER % "connect_timeout: soon",
        ANY % "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, snii: a",
        ANY % "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Nothing",
        ANY % "type.googleapis.com/envoy.extensions.nowhere.v3.Nothing",
    ],
)
def test_what_envoy_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(StartupError, match="Envoy does not know what was written"):
        typed.parse(text)


def test_the_one_field_that_is_misread_is_let_pass() -> None:
    typed.parse(CLUSTER % "outlier_detection: {consecutive_5xx: 10}")
