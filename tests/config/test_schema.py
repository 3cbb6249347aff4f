from __future__ import annotations

from extproc_router.config import schema


def test_every_field_is_described() -> None:
    """The descriptions are the reference that users see."""
    sections = (schema.Cost, schema.Model, schema.Routing, schema.Limits)
    missing = [f"{s.__name__}.{n}" for s in sections for n, f in s.model_fields.items() if not f.description]
    assert missing == []
