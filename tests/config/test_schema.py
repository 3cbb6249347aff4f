from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from extproc_router.config import schema

NAME: TypeAdapter[str] = TypeAdapter(schema.Name)


def test_every_field_is_described() -> None:
    """The descriptions are the reference that users see."""
    sections = (schema.Cost, schema.Model, schema.Routing, schema.Limits)
    missing = [f"{s.__name__}.{n}" for s in sections for n, f in s.model_fields.items() if not f.description]
    assert missing == []


@pytest.mark.parametrize("name", ["a", "org/model-8b", "two words", "日本語 モデル", "é", "a" * 256])
def test_a_name_may_be_written_in_any_script(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "\0", "a\0b", "a\nb", "a\n", "a\tb", "a\x1b[2J", "a\x7f", "a\u2028b", "a" * 257]
)
def test_a_name_has_no_control_characters_and_no_space_at_an_end(name: str) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)
