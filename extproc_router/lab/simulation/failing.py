"""Errors of a simulated model server, in the shape of the API that was asked and in vLLM's own words."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from extproc_router.dialects.replies import anthropic_error_type
from extproc_router.lab.simulation.answer import Answer, phrase, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.behaviour import Behaviour

_TYPES: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "BadRequestError",
    HTTPStatus.NOT_FOUND: "NotFoundError",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalServerError",
}


def error(status: int, message: str, *, anthropic: bool, param: str | None = None) -> Answer:
    """An error answer; its `type` is vLLM's, or the one that Anthropic documents for the status."""
    if anthropic:
        said = {"type": anthropic_error_type(status), "message": message}
        return whole({"type": "error", "error": said}, status=status)
    kind = _TYPES.get(status, phrase(status))
    return whole({"error": {"message": message, "type": kind, "param": param, "code": status}}, status=status)


def wanted(behaviour: Behaviour, *, anthropic: bool) -> Answer | None:
    """The error that the behaviour has for every request, if it has one."""
    if behaviour.status is None:
        return None
    return error(behaviour.status, f"{phrase(behaviour.status)}, as the simulation has it", anthropic=anthropic)


def too_large() -> Answer:
    """The error of a request that is beyond what any model server takes."""
    return error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This request is too large.", anthropic=False)


def refused(asked: Asked, behaviour: Behaviour, models: Sequence[str]) -> Answer | None:
    """The error of a request that this server cannot serve: its model, or its length; None where it can."""
    anthropic = asked.api == "anthropic_messages"
    if behaviour.strict_models and asked.model not in models:
        message = f"The model `{asked.model}` does not exist."
        return error(HTTPStatus.NOT_FOUND, message, anthropic=anthropic, param="model")
    limit, prompt = behaviour.max_model_len, asked.prompt_tokens
    bound = max(1, asked.max_tokens or 1) if asked.api != "embeddings" else 0
    if limit is None or prompt + bound <= limit:
        return None
    if anthropic:
        return error(HTTPStatus.BAD_REQUEST, f"prompt is too long: {prompt} tokens > {limit} maximum", anthropic=True)
    message = (
        f"This model's maximum context length is {limit} tokens. However, you requested {bound} output tokens and your "
        f"prompt contains at least {prompt} input tokens, for a total of at least {prompt + bound} tokens. Please "
        "reduce the length of the input prompt or the number of requested output tokens. (parameter=input_tokens, "
        f"value={prompt})"
    )
    return error(HTTPStatus.BAD_REQUEST, message, anthropic=False, param="input_tokens")
