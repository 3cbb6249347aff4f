from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from hypothesis import settings

from extproc_router import answers
from extproc_router.attempts import Heard

settings.register_profile("answers", deadline=None, derandomize=True, database=None)
settings.load_profile("answers")

Streamed: TypeAlias = Callable[..., Heard]


@pytest.fixture
def streamed() -> Streamed:
    """Hears events of an API, each given as the JSON of its data."""

    def hear(api: str, *events: Any) -> Heard:
        stream = answers.Stream(api, strips_logprobs=False, strips_usage=False)
        for event in events:
            data = event if isinstance(event, str) else json.dumps(event)
            stream.feed(f"data: {data}\n\n".encode())
        return stream.heard

    return hear
