"""Written models -> candidates; an adapter is a candidate of its own, on its base's cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from extproc_router.candidates import Candidate, Reasoning, ReasoningStyle
from extproc_router.types import Modality

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from extproc_router.config import model_schema

DEFAULT_QUALITY = "default"
"""The label in a table of qualities that stands for all others."""


def candidates(models: Sequence[model_schema.Model], tiers: Sequence[str]) -> Iterator[Candidate]:
    """Yield every candidate in file order, adapters behind their base.

    Args:
        models: as written.
        tiers: privacy tiers, lowest first.
    """
    ranks = {tier: rank for rank, tier in enumerate(tiers)}
    for model in models:
        base = Candidate(
            name=model.name,
            cluster=model.cluster,
            served_name=model.served_name or model.name,
            cost_input=model.cost.input,
            cost_output=model.cost.output,
            # A tier that is none has been told; then nothing runs by these candidates.
            clearance=ranks.get(model.privacy or "", 0),
            window=model.context_window,
            tokenizer=model.tokenizer or "",
            modalities=None if model.modalities is None else frozenset(map(Modality, model.modalities)),
            tools=model.tools,
            apis=None if model.apis is None else frozenset(model.apis),
            quality=_quality(model.quality),
            ttft_ms=model.latency.ttft_ms,
            tokens_per_second=model.latency.tokens_per_second,
            reasoning=_reasoning(model.reasoning),
            logprobs=model.logprobs,
            tags=frozenset(model.tags),
        )
        yield base
        for adapter in model.adapters:
            yield replace(
                base,
                name=adapter.name,
                served_name=adapter.served_name or adapter.name,
                quality=base.quality if adapter.quality is None else _quality(adapter.quality),
                tags=base.tags if adapter.tags is None else frozenset(adapter.tags),
            )


def _quality(written: float | Mapping[str, float] | None) -> dict[str, float]:
    if written is None:
        return {}
    if isinstance(written, float | int):
        return {"": float(written)}
    return {"" if label == DEFAULT_QUALITY else label: quality for label, quality in written.items()}


def _reasoning(written: str | model_schema.ReasoningMembers | None) -> Reasoning | None:
    if written is None:
        return None
    if isinstance(written, str):
        return Reasoning(ReasoningStyle(written))
    return Reasoning(ReasoningStyle(written.style), written.effort_on, written.effort_off, written.budget_tokens)
