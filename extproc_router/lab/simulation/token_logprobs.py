"""Log-probabilities as OpenAI's APIs and vLLM spell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extproc_router.lab.simulation.answer import Json
    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.saying import Said

_STEP = 1.5  # how much less likely each alternative is


def chat(said: Said, asked: Asked, start: int = 0, end: int | None = None) -> Json | None:
    """`logprobs` of a choice of chat completions, for the tokens [start, end); None where there are none."""
    return {"content": tokens(said, asked, start, end)} if said.logprobs else None


def tokens(said: Said, asked: Asked, start: int = 0, end: int | None = None) -> list[Json]:
    """`logprobs` of an output text of responses, for the tokens [start, end); empty where there are none."""
    return [
        {**spelled, "top_logprobs": [_spelled(*other) for other in _alternatives(text, logprob, asked)]}
        for text, logprob in zip(said.tokens[start:end], said.logprobs[start:end], strict=False)
        for spelled in (_spelled(text, logprob),)
    ]


def completion(said: Said, asked: Asked, start: int = 0, end: int | None = None) -> Json | None:
    """`logprobs` of a choice of legacy completions, for the tokens [start, end); None where there are none."""
    if not said.logprobs:
        return None
    texts, logprobs = said.tokens[start:end], said.logprobs[start:end]
    offset = sum(map(len, said.tokens[:start]))
    offsets = [offset + sum(map(len, texts[:index])) for index in range(len(texts))]
    # vLLM tells at least the token that was chosen, whatever number is asked for.
    top = [
        dict(_alternatives(text, value, asked) or [(text, value)]) for text, value in zip(texts, logprobs, strict=True)
    ]
    return {"text_offset": offsets, "token_logprobs": list(logprobs), "tokens": list(texts), "top_logprobs": top}


def _spelled(text: str, logprob: float) -> Json:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _alternatives(text: str, logprob: float, asked: Asked) -> list[tuple[str, float]]:
    """The token itself, and less likely ones, as many as were asked for."""
    others = [(f"{text}{rank}", round(logprob - _STEP * rank, 6)) for rank in range(1, asked.top_logprobs or 0)]
    return [(text, logprob), *others] if asked.top_logprobs else []
