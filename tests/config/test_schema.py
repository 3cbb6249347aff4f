from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from extproc_router import options
from extproc_router.config import schema

NAME: TypeAdapter[str] = TypeAdapter(options.Name)


def test_every_field_is_described() -> None:
    """The descriptions are the reference that users see, in docs and in their editors."""
    definitions: dict[str, Any] = schema.File.model_json_schema()["$defs"]
    missing = [
        f"{name}.{field}"
        for name, definition in definitions.items()
        for field, written in definition["properties"].items()
        if not written.get("description") and not (definition.get("description") and field in ("kind", "pick"))
    ]
    assert missing == []
    assert [name for name, definition in definitions.items() if not definition.get("description")] == []


@pytest.mark.parametrize("name", ["a", "org/model-8b", "two words", "日本語 モデル", "é", "a" * 256])
def test_a_name_may_be_written_in_any_script(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "\0", "a\0b", "a\nb", "a\n", "a\tb", "a\x1b[2J", "a\x7f", "a\u2028b", "a" * 257]
)
def test_a_name_has_no_control_characters_and_no_space_at_an_end(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)
