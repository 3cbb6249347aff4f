from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.types import HttpRequest

if TYPE_CHECKING:
    from extproc_router.router import Router

PostOf = Callable[..., HttpRequest]


@pytest.fixture
def router(told_config: str, scripted_encoder: Any) -> Router:
    return wiring.build_router(loader.load(told_config, "r.yaml"), scripted_encoder)


@pytest.fixture
def post() -> PostOf:
    """A chat completion with one user message, and further members."""

    def build(prompt: str, headers: dict[str, str] | None = None, **members: Any) -> HttpRequest:
        body = {"model": "auto", "messages": [{"role": "user", "content": prompt}], **members}
        return HttpRequest("POST", "/v1/chat/completions", headers or {}, json.dumps(body).encode())

    return build
