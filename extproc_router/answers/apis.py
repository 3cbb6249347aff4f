"""The readers of answers, by the names that dialects have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extproc_router.answers.anthropic_messages import ANTHROPIC_MESSAGES
from extproc_router.answers.choices import CHOICES
from extproc_router.answers.embeddings import EMBEDDINGS
from extproc_router.answers.responses import RESPONSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.answers.api import Api

APIS: Final[Mapping[str, Api]] = {
    "anthropic_messages": ANTHROPIC_MESSAGES,
    "chat_completions": CHOICES,
    "completions": CHOICES,
    "embeddings": EMBEDDINGS,
    "responses": RESPONSES,
}
