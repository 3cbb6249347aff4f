"""Which models are able to serve a request: their window, what they take beside text, tools, their server's API.

Privacy was asked before, and nothing here brings back what it left out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Situation


# No window comes near. A client may write a number of thousands of digits, and sentences tell it.
_ENDLESS = 10**9


class Lack(StrEnum):
    """What a model lacks for a request. Low cardinality: it may be a metric label."""

    MODALITY = "modality"
    TOOLS = "tools"
    API = "api"
    WINDOW = "window"


class Refusal(Struct, frozen=True):
    """Why a model cannot serve a request: what it lacks, and half a sentence for people."""

    lack: Lack
    why: str


def modalities(candidate: Candidate, situation: Situation) -> Refusal | None:
    """Refuse a model that does not take what the request carries beside text."""
    taken = candidate.modalities
    if taken is None or situation.modalities <= taken:
        return None
    return Refusal(Lack.MODALITY, f"takes no {' or '.join(sorted(situation.modalities - taken))}")


def tools(candidate: Candidate, situation: Situation) -> Refusal | None:
    """Refuse a model that calls no tools where the request declares some."""
    if candidate.tools is False and situation.tools:
        return Refusal(Lack.TOOLS, "calls no tools")
    return None


def api(candidate: Candidate, situation: Situation) -> Refusal | None:
    """Refuse a model whose server does not speak the request's API."""
    spoken = candidate.apis
    if spoken is None or situation.api in spoken:
        return None
    return Refusal(Lack.API, f"does not speak {situation.api}")


def window(candidate: Candidate, situation: Situation) -> Refusal | None:
    """Refuse a model whose window is too small for the prompt and the longest completion that it may have.

    The prompt is estimated; near the window it is counted, where the model's tokenizer is there.
    """
    size = candidate.window
    if size is None:
        return None
    completion = situation.max_tokens or 0
    tokens = situation.tokens + completion
    # The estimate is wrong by less than this, most scripts considered.
    if candidate.tokenizer and size < completion + 2 * situation.tokens and tokens < 2 * size:
        counted = situation.count(candidate.name)
        tokens = tokens if counted is None else counted + completion
    return None if tokens <= size else Refusal(Lack.WINDOW, f"window {size} < {min(tokens, _ENDLESS)} tokens")


def why_not(candidate: Candidate, situation: Situation) -> Refusal | None:
    """Return the first reason for which a model cannot serve a request; None where it can."""
    # Facts first: only the window is judged by an estimate.
    return (
        modalities(candidate, situation)
        or tools(candidate, situation)
        or api(candidate, situation)
        or window(candidate, situation)
    )


def capable(candidates: Sequence[Candidate], situation: Situation) -> tuple[tuple[Candidate, ...], dict[str, Refusal]]:
    """Return the models that can serve a request, in their order, and why the others cannot, by name.

    Where nothing but the window leaves no model, those with the largest window stay: tokens are estimated, and an
    upstream that counts them judges better. Where the facts leave none, none stays.
    """
    kept: list[Candidate] = []
    refused: dict[str, Refusal] = {}
    for candidate in candidates:
        refusal = why_not(candidate, situation)
        if refusal is None:
            kept.append(candidate)
        else:
            refused[candidate.name] = refusal
    if not kept:
        kept = _widest([model for model in candidates if refused[model.name].lack is Lack.WINDOW])
        for candidate in kept:
            del refused[candidate.name]
    return tuple(kept), refused


def _widest(candidates: list[Candidate]) -> list[Candidate]:
    largest = max((candidate.window or 0 for candidate in candidates), default=0)
    return [candidate for candidate in candidates if candidate.window == largest]
