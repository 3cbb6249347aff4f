"""What model servers answer: read, and freed of what only the router had asked for.

A whole answer goes through `read` and `strip`, server-sent events through `Stream`. Both give a `Heard`, which says the
same of every client API. Bytes are never serialised again: what is stripped is spliced, every other byte survives
(docs/decisions/0003-lossless-bodies.md). No bad bytes make any of them raise.
"""

from __future__ import annotations

from extproc_router.answers.gathered import MAX_ARGUMENTS, MAX_CALLS, MAX_TEXT, MAX_TOKENS
from extproc_router.answers.stream import MAX_EVENT, Stream
from extproc_router.answers.whole import read, strip

__all__ = [
    "MAX_ARGUMENTS",
    "MAX_CALLS",
    "MAX_EVENT",
    "MAX_TEXT",
    "MAX_TOKENS",
    "Stream",
    "read",
    "strip",
]
