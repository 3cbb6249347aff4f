"""`GET /v1/models`: the models that the config offers, in one shape which OpenAI's and Anthropic's clients both read.

OpenAI: https://platform.openai.com/docs/api-reference/models; Anthropic: https://docs.claude.com/en/api/models-list.
Their members do not clash, so the answer has all of them and need not guess who asks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from extproc_router.dialects.replies import json_reply
from extproc_router.errors import ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.types import Reply

PATH: Final = "/v1/models"
OWNER: Final = "extproc-router"
_OK: Final = 200


def list_models(names: Sequence[str], created: int) -> Reply:
    """All models on one page.

    Args:
        names: in the order in which they are to be listed.
        created: seconds since 1970, in [0, 253402300799]; when the config was loaded is as good as any.
    """
    return json_reply(
        _OK,
        {
            "object": "list",
            "data": [_model(name, created) for name in names],
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        },
    )


def get_model(name: str, names: Sequence[str], created: int) -> Reply:
    """One model, for `GET /v1/models/{name}`; arguments as in `list_models`.

    Raises:
        ModelNotFound: `name` is not in `names`.
    """
    if name not in names:
        raise ModelNotFound(name)
    return json_reply(_OK, _model(name, created))


def _model(name: str, created: int) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": OWNER,
        "type": "model",
        "display_name": name,
        "created_at": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
