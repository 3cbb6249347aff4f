"""Config + what the encoder artefact knows -> what decides. All mistakes at once, each with its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router import signals
from extproc_router.config.conditions import Conditions
from extproc_router.config.document import in_file_order
from extproc_router.config.doubtful import doubts
from extproc_router.config.meaning import declared_signals, did_you_mean
from extproc_router.config.reach import unreachable
from extproc_router.config.routes import Routes
from extproc_router.config.safeguards import Safeguards
from extproc_router.errors import ConfigError
from extproc_router.policy.engine import Policy
from extproc_router.policy.rules import Action, Fallback
from extproc_router.signals.base import Reader
from extproc_router.signals.pii import Pii
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from extproc_router.config import schema
    from extproc_router.config.conditions import Complain, Path
    from extproc_router.config.loader import Config
    from extproc_router.signals.base import Resources

_STRICTNESS = {action: rank for rank, action in enumerate(Action)}


class Compiled(Struct, frozen=True):
    """What decides.

    Attributes:
        policy: rules, candidates and the default.
        readers: the signals, by name.
        redactors: those of kind `pii`.
        matchers: signals that ask a language model -> rank of the highest tier that it may see.
        counts_tokens: whether the length of prompts matters to any model or strategy.
        sticky_by: what conversations are told apart by; None where each request stands for itself.
        warnings: what is no mistake, and hardly meant; in file order. Empty where nobody wants to know.
    """

    policy: Policy
    readers: Mapping[str, Reader]
    redactors: Mapping[str, Pii]
    matchers: Mapping[str, int]
    counts_tokens: bool
    sticky_by: str | None
    warnings: tuple[Mistake, ...]


def compile_config(config: Config, resources: Resources, *, warn: bool = True) -> Compiled:
    """Compile.

    Args:
        config: what is written.
        resources: what the artefact offers.
        warn: whether to look for `warnings`, which takes longer than all the rest where rules are many.

    Raises:
        ConfigError: with every mistake that could be found.
    """
    mistakes: list[Mistake] = []

    def complain(path: Path, message: str) -> None:
        mistakes.append(config.document.mistake(path, message))

    readers, lacking, matchers = _signals(config, resources, complain)
    conditions = Conditions(readers, lacking, complain)
    safeguards = Safeguards(config.privacy_tiers, readers, conditions, complain)
    guards = {place: safeguards.compile(written, ("safety", place)) for place, written in config.entries("safety")}
    routes = Routes(config, readers, conditions, complain)
    compiled = tuple(routes.compile())
    if mistakes:
        raise ConfigError(in_file_order(mistakes))
    policy = Policy(
        candidates={candidate.name: candidate for candidate in config.candidates},
        auto=frozenset({"", *config.auto}),
        tiers=config.privacy_tiers,
        safeguards=tuple(sorted(guards.values(), key=lambda rule: _STRICTNESS[rule.action])),
        routes=compiled,
        default=config.routing.default,
        fallback=_fallback(config.written.fallback),
    )
    sticky_by = config.routing.sticky_by
    return Compiled(
        policy=policy,
        readers=readers,
        redactors={name: reader for name, reader in readers.items() if isinstance(reader, Pii)},
        matchers=matchers,
        counts_tokens=routes.count_tokens or any(candidate.window for candidate in config.candidates),
        sticky_by=None if sticky_by == "none" else sticky_by,
        warnings=in_file_order((*unreachable(config, compiled), *doubts(config, guards))) if warn else (),
    )


def _fallback(written: schema.Fallback) -> Fallback:
    return Fallback(
        tuple(written.models),
        written.attempts,
        written.stream_seconds,
        written.answer_seconds,
        written.on_context_length,
    )


def _signals(
    config: Config, resources: Resources, complain: Complain
) -> tuple[dict[str, Reader], dict[str, str], dict[str, int]]:
    """Build every signal that is declared or exists undeclared.

    Returns:
        The readers; why those are lacking that could not be built, empty where that is told; and the ranks of the
        tiers that language models may see. All by the signal's name.
    """
    readers: dict[str, Reader] = {}
    matchers: dict[str, int] = {}
    lacking = dict.fromkeys(declared_signals(config.document), "")
    for kind in signals.BUILT_IN:
        if kind in lacking:
            continue
        # What the artefact lacks is missed by those alone who use it.
        try:
            readers[kind] = signals.KINDS[kind].build(
                kind, signals.KINDS[kind].options.model_validate({"kind": kind}), resources
            )
        except ValueError as error:
            lacking[kind] = str(error)
    for place, written in config.entries("signals"):
        name = written.name or written.kind
        try:
            readers[name] = signals.KINDS[written.kind].build(name, written, resources)
        except ValueError as error:
            complain(("signals", place), str(error))
        else:
            lacking.pop(name, None)
        matcher = getattr(written, "matcher", None)
        if matcher is not None:
            matchers[name] = _clearance(matcher.privacy, config, ("signals", place, "matcher", "privacy"), complain)
    return readers, lacking, matchers


def _clearance(tier: str | None, config: Config, path: Path, complain: Complain) -> int:
    """Return the rank of a tier; the lowest where none is named."""
    if tier is None:
        return 0
    if tier not in config.privacy_tiers:
        complain(path, f"unknown privacy tier {tier!r}{did_you_mean(tier, config.privacy_tiers)}")
        return 0
    return config.privacy_tiers.index(tier)
