from __future__ import annotations

import pytest

from extproc_router.config import fields


@pytest.mark.parametrize(
    ("location", "known"),
    [
        ((), "routing"),
        (("models", 0), "cluster"),
        (("models", 0, "cost"), "input"),
        (("models", 0, "adapters", 3), "served_name"),
        (("models", 0, "reasoning", "[mapping]"), "budget_tokens"),
        (("signals", 0, "[header]"), "header"),
        (("signals", 0, "[preference]", "routes", 0), "description"),
        (("signals", 0, "[preference]", "matcher"), "deadline_ms"),
        (("safety", 0), "when_absent"),
        (("safety", 0, "when"), "not"),
        (("rules", 0, "when", "not", "any", 1, "domain", "[comparison]"), "at_least"),
        (("rules", 0, "use", "[threshold]"), "strong"),
        (("rules", 0, "use", "[weighted]", "weights"), "latency"),
        (("rules", 0, "use", "[split]", "among", "[tags]"), "tags"),
        (("rules", 0, "reasoning", "[mapping]"), "override_client"),
    ],
)
def test_the_fields_of_every_place_are_found(location: tuple[str | int, ...], known: str) -> None:
    assert known in fields.known_at(location)


def test_fields_of_other_variants_are_not_among_them() -> None:
    assert "weights" not in fields.known_at(("rules", 0, "use", "[threshold]"))
    assert "keywords" not in fields.known_at(("signals", 0, "[header]"))


@pytest.mark.parametrize("location", [("metadata",), ("models", 0, "quality", "[mapping]"), ("nowhere", 3, "x")])
def test_where_names_are_free_there_are_none(location: tuple[str | int, ...]) -> None:
    assert fields.known_at(location) == ()
