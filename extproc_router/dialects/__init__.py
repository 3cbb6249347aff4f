"""Client API formats: bytes become a Request, and a Request's bytes are patched without loss.

One file per API. A new one is a class with the members of `Dialect` and a line in `DIALECTS`.
"""

from __future__ import annotations

from typing import Final

from extproc_router.dialects.ambiguity import ambiguity
from extproc_router.dialects.anthropic_messages import AnthropicMessages
from extproc_router.dialects.base import Dialect
from extproc_router.dialects.bodies import decode
from extproc_router.dialects.changes import edit
from extproc_router.dialects.chat_completions import ChatCompletions
from extproc_router.dialects.completions import Completions
from extproc_router.dialects.edits import Edit, apply
from extproc_router.dialects.embeddings import Embeddings
from extproc_router.dialects.models_list import get_model, list_models
from extproc_router.dialects.redaction import redactions
from extproc_router.dialects.replies import common_error
from extproc_router.dialects.responses import Responses
from extproc_router.dialects.schemas import demanded_schema
from extproc_router.dialects.splices import splices

__all__ = [
    "DIALECTS",
    "Dialect",
    "Edit",
    "ambiguity",
    "apply",
    "common_error",
    "decode",
    "demanded_schema",
    "edit",
    "find",
    "get_model",
    "list_models",
    "redactions",
    "splices",
]

DIALECTS: Final[tuple[Dialect, ...]] = (
    ChatCompletions(),
    Completions(),
    Responses(),
    Embeddings(),
    AnthropicMessages(),
)

_BY_PATH: Final = {path: dialect for dialect in DIALECTS for path in dialect.paths}


def find(path: str) -> Dialect | None:
    """The dialect that is spoken in a POST to `path`, or None.

    Args:
        path: without query. One trailing slash is forgiven: many servers forgive it, and a request that they would
            serve must not slip past the router.
    """
    return _BY_PATH.get(path) or _BY_PATH.get(path.removesuffix("/"))
