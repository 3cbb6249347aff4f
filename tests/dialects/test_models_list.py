from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from openai.pagination import SyncPage
from openai.types import Model

from extproc_router.dialects import get_model, list_models
from extproc_router.errors import ModelNotFound

if TYPE_CHECKING:
    from extproc_router.types import Reply

CREATED = 1_763_769_600


def document(reply: Reply) -> object:
    assert (reply.status, reply.headers) == (200, (("content-type", "application/json"),))
    return json.loads(reply.body)


def model(name: str) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": CREATED,
        "owned_by": "extproc-router",
        "type": "model",
        "display_name": name,
        "created_at": "2025-11-22T00:00:00Z",
    }


def test_list() -> None:
    assert document(list_models(["b", "a"], CREATED)) == {
        "object": "list",
        "data": [model("b"), model("a")],
        "has_more": False,
        "first_id": "b",
        "last_id": "a",
    }


def test_empty_list() -> None:
    assert document(list_models([], CREATED)) == {
        "object": "list",
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


def test_openais_own_types_take_it() -> None:
    page = SyncPage[Model].model_validate_json(list_models(["a", "org/b"], CREATED).body, strict=True)
    assert [entry.id for entry in page.data] == ["a", "org/b"]
    assert Model.model_validate_json(get_model("a", ["a"], CREATED).body, strict=True).created == CREATED


def test_one() -> None:
    assert document(get_model("org/b", ["a", "org/b"], CREATED)) == model("org/b")


def test_unknown() -> None:
    with pytest.raises(ModelNotFound) as caught:
        get_model("c", ["a", "b"], CREATED)
    assert caught.value.param == "model"
