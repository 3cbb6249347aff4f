from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from extproc_router.options import ClusterName, HeaderName, Key, Name, Section


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Name, ["a", "small 8b", "größe", "x" * 256], ["", " a", "a ", "a\nb", "a\u2028b", "x" * 257]),
        (ClusterName, ["small", "ns/svc:8000", "a.b_c|d-e"], ["", "-a", "a b", "a\n", "ü", "x" * 129]),
        (HeaderName, ["x-team", "x_team"], ["", "X-Team", "x team", ":path", "x\n"]),
        (Key, ["conversation", "request", "header:x-user-id"], ["", "header:", "header:X", "user", "requests"]),
    ],
)
def test_what_may_stand_in_a_name(kind: Any, good: list[str], bad: list[str]) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    for text in good:
        assert adapter.validate_python(text) == text
    for text in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(text)


class Part(Section):
    size: float = 1.0


@pytest.mark.parametrize("bad", [{"sise": 1.0}, {"size": "1"}, {"size": float("inf")}, {"size": float("nan")}])
def test_a_section_is_strict(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Part.model_validate(bad)


def test_a_section_is_frozen() -> None:
    part = Part(size=2)
    with pytest.raises(ValidationError):
        part.size = 3
