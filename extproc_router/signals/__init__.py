"""Request (+ what the encoder or a language model says) -> Signal; one file per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from extproc_router.options import Section
from extproc_router.signals import (
    claim,
    context,
    conversation,
    difficulty,
    domain,
    header,
    jailbreak,
    keyword,
    language,
    latency_class,
    length,
    modality,
    pii,
    preference,
    reasoning,
    regex,
    stream,
    tools,
)
from extproc_router.signals.base import Reader, Resources

__all__ = ["BUILT_IN", "KINDS", "Kind"]


class Kind(Struct, frozen=True):
    """One kind of signal.

    Attributes:
        options: what may be written for it; `kind` is a Literal of the name.
        build: takes the signal's name, these options, and what the encoder offers; raises ValueError, one sentence,
            where it cannot work.
    """

    options: type[Section]
    build: Callable[[str, Any, Resources], Reader]


KINDS: Mapping[str, Kind] = {
    "keyword": Kind(keyword.Options, keyword.build),
    "regex": Kind(regex.Options, regex.build),
    "length": Kind(length.Options, length.build),
    "context": Kind(context.Options, context.build),
    "language": Kind(language.Options, language.build),
    "modality": Kind(modality.Options, modality.build),
    "tools": Kind(tools.Options, tools.build),
    "header": Kind(header.Options, header.build),
    "claim": Kind(claim.Options, claim.build),
    "stream": Kind(stream.Options, stream.build),
    "latency_class": Kind(latency_class.Options, latency_class.build),
    "conversation": Kind(conversation.Options, conversation.build),
    "pii": Kind(pii.Options, pii.build),
    "preference": Kind(preference.Options, preference.build),
    "jailbreak": Kind(jailbreak.Options, jailbreak.build),
    "domain": Kind(domain.Options, domain.build),
    "difficulty": Kind(difficulty.Options, difficulty.build),
    "reasoning": Kind(reasoning.Options, reasoning.build),
}

BUILT_IN: tuple[str, ...] = (
    "length",
    "context",
    "language",
    "modality",
    "tools",
    "stream",
    "latency_class",
    "conversation",
    "pii",
    "jailbreak",
    "domain",
    "difficulty",
    "reasoning",
)
"""Kinds that need no option: they exist undeclared, under their own name."""
