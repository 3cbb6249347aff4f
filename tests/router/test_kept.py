"""Names and ids are kept; prose that stands in their place is not."""

from __future__ import annotations

import pytest

from extproc_router.router.kept import identifier


@pytest.mark.parametrize(
    "text", ["gpt-4o", "org/model:2024-01@v1", "0b7a9a3e-53cb-4a0e-9f1c-8f2d7d7e4b6a", "a" * 128, "AbC+/=="]
)
def test_an_id_is_kept(text: str) -> None:
    assert identifier(text) == text


@pytest.mark.parametrize("text", ["", "my secret is 42", "a" * 129, "a\nb", "a\n", '{"a":1}', "größe", "\x00"])
def test_anything_else_is_not(text: str) -> None:
    assert identifier(text) == ""
