from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from extproc_router.signals.lists import Lists, named

LISTS: TypeAdapter[Any] = TypeAdapter(Lists[list[int], int])


@pytest.mark.parametrize(
    ("written", "by_name"), [([1, 2], {"yes": [1, 2]}), ({"a": 1, "b": 2}, {"a": 1, "b": 2}), ([], {"yes": []})]
)
def test_a_list_without_a_name_gets_one(written: Any, by_name: dict[str, Any]) -> None:
    assert named(LISTS.validate_python(written), "yes") == by_name


@pytest.mark.parametrize(
    ("written", "paths"),
    [([1, "x"], [(1,)]), ({"a": "x", "b": "y"}, [("a",), ("b",)]), ({}, [()]), ({"\n": 1}, [("\n",)])],
)
def test_mistakes_have_the_files_own_path(written: Any, paths: list[tuple[str | int, ...]]) -> None:
    with pytest.raises(ValidationError) as caught:
        LISTS.validate_python(written)
    found = [tuple(part for part in error["loc"] if not str(part).startswith("[")) for error in caught.value.errors()]
    assert found == paths


@pytest.mark.parametrize("written", ["word", 1, None])
def test_neither_is_told_so(written: Any) -> None:
    with pytest.raises(ValidationError, match="expected a list, or a mapping by name"):
        LISTS.validate_python(written)
