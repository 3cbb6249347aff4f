"""Embeddings, as OpenAI's API shapes them: https://platform.openai.com/docs/api-reference/embeddings."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extproc_router.lab.simulation.answer import Json
    from extproc_router.lab.simulation.asked import Asked

VECTOR = (0.5, -0.25, 0.125, 0.0)


def embeddings(asked: Asked) -> Json:
    """The same vector for each input."""
    # The openai client asks for base64 unless told otherwise.
    packed = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    vector = packed if asked.body.get("encoding_format") == "base64" else list(VECTOR)
    inputs = asked.body.get("input")
    count = len(inputs) if isinstance(inputs, list) else 1
    return {
        "object": "list",
        "model": asked.model,
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)],
        "usage": {"prompt_tokens": asked.prompt_tokens, "total_tokens": asked.prompt_tokens},
    }
