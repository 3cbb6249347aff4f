"""Answers that come whole."""

from __future__ import annotations

from extproc_router.answers.api import attempt
from extproc_router.answers.apis import APIS
from extproc_router.answers.gathered import Gathered
from extproc_router.answers.splice import splice
from extproc_router.attempts import Heard
from extproc_router.json_views import locate


def read(api: str, body: bytes) -> Heard:
    """What an answer says.

    Args:
        api: name of a dialect.
        body: as sent, not compressed. Bytes that are no answer of this API give a `Heard` that is broken.

    Raises:
        KeyError: no dialect has that name.
    """
    gathered = Gathered()
    gathered.complete = True
    if attempt(APIS[api].whole, body, gathered) is None:
        return Heard(broken=True)
    return gathered.heard(streamed=False)


def strip(api: str, body: bytes, *, logprobs: bool) -> bytes:
    """An answer without what the client did not ask for; usage is in every whole answer, and stays.

    Args:
        api: name of a dialect.
        body: as sent, not compressed.
        logprobs: whether log-probabilities go: those of all choices, and what is beside them (`top_logprobs`).

    Returns:
        `body` itself where nothing is to be stripped, or nothing can be read.

    Raises:
        KeyError: no dialect has that name.
    """
    reader = APIS[api]
    found = attempt(reader.whole, body, Gathered()) if logprobs else None
    if found is None:
        return body
    version, views = found
    return splice(body, [locate(version, view) for view in views], reader.stripped)
