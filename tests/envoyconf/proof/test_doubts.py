from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof.doubts import misread
from extproc_router.envoyconf.proof.message import Known

if TYPE_CHECKING:
    from tests.envoyconf.proof.conftest import Said


def test_a_field_is_named_with_what_it_is_in(said: Said) -> None:
    known = Known(frozenset({"a"}), frozenset({"b"}))
    found = [
        (doubt.field, doubt.why, doubt.place.value) for doubt in misread("top", said({"a": 1, "b": 2, "c": 3}), known)
    ]
    assert found == [("top.c", "is not understood", 3)]


def test_what_comes_from_elsewhere_is_said_to_be_unknown(said: Said) -> None:
    [doubt] = misread("http_connection_manager", said({"rds": {"x": 1}}), Known(frozenset(), frozenset()))
    assert (
        doubt.why == "this file does not say what comes from elsewhere, routes (RDS): write it here, as `route_config`"
    )
