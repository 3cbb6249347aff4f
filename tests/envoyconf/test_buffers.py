from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit, Judge

CAP = 8 * 1024 * 1024
LISTENER = "per_connection_buffer_limit_bytes"
HOST = "request_body_buffer_limit"
OLD = "per_request_buffer_limit_bytes"


def closed_by_direct_response(edit: Edit) -> None:
    route = edit.route("private_undecided")
    del route["route"]
    route["direct_response"] = {"status": 503}


def with_direct_response_and_listener_limit(edit: Edit) -> None:
    closed_by_direct_response(edit)
    edit.listener[LISTENER] = CAP


def limits(edit: Edit, listener: Any = ..., host: Any = ..., old: Any = ...) -> None:
    edit.host.pop(HOST)
    for scope, name, value in ((edit.listener, LISTENER, listener), (edit.host, HOST, host), (edit.host, OLD, old)):
        if value is not ...:
            scope[name] = value


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (lambda e: limits(e, host=1_000_000), f"llm.{HOST}", "Envoy answers 413 first"),
        (lambda e: limits(e, host=64_000_000), f"llm.{HOST}", "hangs up"),
        (lambda e: limits(e, host="64000000"), f"llm.{HOST}", "hangs up"),
        (limits, f"llm.{LISTENER}", "1048576, "),
        (lambda e: limits(e, listener=CAP - 1), f"llm.{LISTENER}", "413"),
        (lambda e: limits(e, listener=64_000_000), f"llm.{LISTENER}", "hangs up"),
        (lambda e: limits(e, listener=CAP, old=1000), f"llm.{OLD}", "1000, "),
        (lambda e: limits(e, listener=1000, old=CAP), f"llm.{OLD}", "1000, "),
        (lambda e: e.route("default").update({HOST: 1000}), f"llm.{HOST}", "for route 'default'"),
        (closed_by_direct_response, f"llm.{LISTENER}", "does not count where a route has no upstream"),
        (lambda e: limits(e, host="lots"), "llm.buffer_limit", "'lots' is no number of bytes"),
        (lambda e: limits(e, host=[1]), "llm.buffer_limit", "[1] is no number of bytes"),
        (lambda e: limits(e, host=-1), "llm.buffer_limit", "-1 is no number of bytes"),
        (lambda e: limits(e, host=True), "llm.buffer_limit", "True is no number of bytes"),
        (lambda e: limits(e, host=CAP, listener="x"), "llm.buffer_limit", "'x' is no number of bytes"),
    ],
)
def test_body_limits_are_paired(judge: Judge, change: Callable[[Edit], object], field: str, says: str) -> None:
    [mistake] = judge(change).mistakes
    assert mistake.field.endswith(field)
    assert says in mistake.message


@pytest.mark.parametrize(
    "change",
    [
        lambda e: limits(e, host=CAP),
        lambda e: limits(e, host=str(CAP)),
        lambda e: limits(e, host=float(CAP)),
        lambda e: limits(e, listener=CAP),
        lambda e: limits(e, listener=CAP, old=CAP),
        with_direct_response_and_listener_limit,
        lambda e: e.route("decided").update({HOST: 1000}),  # it is taken when the body has been read
    ],
)
def test_any_limit_that_counts_may_be_the_right_one(judge: Judge, change: Callable[[Edit], object]) -> None:
    assert judge(change).mistakes == ()
