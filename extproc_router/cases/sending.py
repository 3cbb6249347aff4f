"""A case as the requests that a client sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from extproc_router.explaining.requests import messages_body, prompt_body
from extproc_router.types import HttpRequest

if TYPE_CHECKING:
    from extproc_router.cases.schema import Case

# What a model may have answered to the earlier prompts: no key of a conversation goes by it.
_ANSWERED = {"role": "assistant", "content": "All right."}


def http_of(case: Case) -> HttpRequest:
    """Return the request that the case is about.

    Raises:
        ValueError: its path's API takes no conversation.
    """
    return _http(case, len(case.after))


def earlier_of(case: Case) -> tuple[HttpRequest, ...]:
    """Return the requests that came before it in its conversation, oldest first."""
    return tuple(_http(case, place) for place in range(len(case.after)))


def _http(case: Case, place: int) -> HttpRequest:
    headers = {name.lower(): value for name, value in case.headers.items()}
    return HttpRequest("POST", case.path, headers, _body(case, place))


def _body(case: Case, place: int) -> bytes:
    if isinstance(case.body, str):
        return case.body.encode()
    if case.body is not None:
        return json.dumps(case.body).encode()
    if case.messages is not None:
        return messages_body(case.path, case.model, case.messages, stream=case.stream)
    prompts = [entry if isinstance(entry, str) else entry.prompt for entry in case.after]
    prompts.append(case.prompt or "")
    if not place:
        return prompt_body(case.path, case.model, prompts[0], stream=case.stream)
    messages = [turn for prompt in prompts[:place] for turn in ({"role": "user", "content": prompt}, _ANSWERED)]
    messages.append({"role": "user", "content": prompts[place]})
    return messages_body(case.path, case.model, messages, stream=case.stream)
