from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit
    from tests.envoyconf.proof.conftest import Attempt

ACCESS = "type.googleapis.com/envoy.extensions.access_loggers"
TRACE = "type.googleapis.com/envoy.config.trace.v3"
GRPC = f"{ACCESS}.grpc.v3.HttpGrpcAccessLogConfig"
WASM = f"{ACCESS}.wasm.v3.WasmAccessLog"
LIBRARY = f"{TRACE}.DynamicOtConfig"


def named(kind: str) -> dict[str, Any]:
    return {"name": "new", "typed_config": {"@type": kind}}


PLACES: dict[str, Callable[[Edit, dict[str, Any]], object]] = {
    "manager": lambda e, entry: e.manager.update(access_log=[entry]),
    "manager, in JSON's spelling": lambda e, entry: (e.manager.pop("access_log"), e.manager.update(accessLog=[entry])),
    "listener": lambda e, entry: e.listener.update(access_log=[entry]),
    "router": lambda e, entry: e.filters[-1]["typed_config"].update(upstream_log=[entry]),
}
TRACED: dict[str, Callable[[Edit, dict[str, Any]], object]] = {
    "manager": lambda e, entry: e.manager.update(tracing={"provider": entry}),
    "file": lambda e, entry: e.data.update(tracing={"http": entry}),
}


@pytest.mark.parametrize("place", PLACES)
def test_loggers_that_send_requests_nowhere_are_known(attempt: Attempt, place: str) -> None:
    assert attempt(lambda e: PLACES[place](e, named(GRPC))).proved
    for kind, shown in ((WASM, "WasmAccessLog"), ("type.googleapis.com/xds.type.v3.TypedStruct", "TypedStruct")):
        [doubt] = attempt(lambda e, kind=kind: PLACES[place](e, named(kind))).doubts
        assert f"log.new: {shown} may send requests elsewhere: take it out, or look yourself and pass" in doubt
    assert not attempt(lambda e: PLACES[place](e, {"name": "new"})).proved


@pytest.mark.parametrize("place", TRACED)
def test_tracers_too(attempt: Attempt, place: str) -> None:
    assert attempt(lambda e: TRACED[place](e, named(f"{TRACE}.ZipkinConfig"))).proved
    [doubt] = attempt(lambda e: TRACED[place](e, named(LIBRARY))).doubts
    assert "DynamicOtConfig may send requests elsewhere" in doubt


def test_a_tracing_that_names_nobody_is_the_files(attempt: Attempt) -> None:
    assert attempt(lambda e: (e.manager.update(tracing={}), e.routes[0].update(tracing={}))).proved
