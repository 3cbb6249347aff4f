from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject


@pytest.mark.parametrize(
    ("options", "given", "label", "labels"),
    [
        ({}, None, "none", set()),
        ({}, " , ", "none", set()),
        ({}, "acme", "set", {"acme"}),
        ({}, "acme,  umbrella", "set", {"acme", "umbrella"}),
        ({"values": ["acme"]}, "acme, umbrella", "acme+set", {"acme"}),
        ({"values": ["acme"]}, "Acme", "set", set()),
        ({"values": ["acme"], "ignore_case": True}, "Acme", "acme", {"acme"}),
    ],
)
def test_each_value_is_a_label(
    build: Build, subject: MakeSubject, options: dict[str, Any], given: str | None, label: str, labels: set[str]
) -> None:
    reader = build("header", header="x-tenant", **options)
    headers = {"x-other": "x"} if given is None else {"x-tenant": given}
    assert reader.read(subject(headers=headers), NO_ANSWERS) == Signal("header", label, 1.0, frozenset(labels))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"header": "X-Tenant"},
        {"header": ":path"},
        {"header": "x", "values": []},
        {"header": "x", "value": "a"},
        {"header": "x", "values": ["a,b"]},
        {"header": "x", "values": ["a", " b"]},
    ],
)
def test_options_that_cannot_be_meant(build: Build, options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        build("header", **options)
