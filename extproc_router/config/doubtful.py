"""What a config says and hardly means: told as warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.candidates import Candidate
    from extproc_router.config.loader import Config
    from extproc_router.policy.rules import Safeguard
    from extproc_router.types import Mistake

_TWO = 2
# envoy/envoy.yaml forwards no credentials to the router, and strips what it alone may say.
_NOT_FORWARDED = frozenset({
    "authorization", "proxy-authorization", "x-api-key", "api-key", "cookie", "x-selected-cluster",
})  # fmt: skip


def doubts(config: Config, guards: Mapping[int, Safeguard]) -> Iterator[Mistake]:
    """Yield what is doubtful.

    Args:
        config: as loaded.
        guards: its safety rules, by their place in the file.
    """
    signals: dict[str, Any] = {written.name or written.kind: written for _, written in config.entries("signals")}
    for place, written in config.entries("signals"):
        header = getattr(written, "header", None)
        if header in _NOT_FORWARDED:
            message = f"the shipped envoy.yaml does not show {header!r} to the router: it reads nothing"
            yield config.document.mistake(("signals", place, "header"), message)
    highest = max(candidate.clearance for candidate in config.candidates)
    yield from _shared(config)
    yield from _never_judged(config)
    for place, guard in guards.items():
        if guard.tier > highest:
            message = f"no model is cleared for {config.privacy_tiers[guard.tier]!r}: such requests get a 503"
            yield config.document.mistake(("safety", place), message)
        for name in sorted(guard.condition.names):
            if getattr(signals.get(name), "of", None) == "prompt":
                message = f"{name!r} reads the user's last turn alone: `of: incoming` or `everything` reads more"
                yield config.document.mistake(("safety", place, "when"), message)


def _never_judged(config: Config) -> Iterator[Mistake]:
    """Tell the cascades from a model to a cheaper one: a model that costs more has nothing to ask it."""
    by_name = {candidate.name: candidate for candidate in config.candidates}
    for place, rule in config.entries("rules"):
        if rule.cascade is None or not isinstance(rule.use, list):
            continue
        first, second = (by_name[name] for name in rule.use[:_TWO])
        if first.cost_input + first.cost_output > second.cost_input + second.cost_output:
            message = f"{first.name!r} costs more than {second.name!r}: no answer is judged; the cheaper one goes first"
            yield config.document.mistake(("rules", place, "cascade"), message)


def _shared(config: Config) -> Iterator[Mistake]:
    """Tell the clusters whose models are cleared for different tiers: what stands there sees the highest."""
    by_cluster: dict[str, list[Candidate]] = {}
    for candidate in config.candidates:
        by_cluster.setdefault(candidate.cluster, []).append(candidate)
    places = {model.name: place for place, model in config.entries("models")}
    for cluster, sharing in by_cluster.items():
        highest = max(sharing, key=lambda candidate: candidate.clearance)
        lower = next((candidate for candidate in sharing if candidate.clearance < highest.clearance), None)
        if lower is not None:
            tier = config.privacy_tiers[highest.clearance]
            message = (
                f"what stands at {cluster!r} is trusted with {tier!r}, because {highest.name!r} is cleared for it: "
                f"{lower.name!r}, on the same cluster, is not"
            )
            yield config.document.mistake(("models", places[highest.name], "privacy"), message)
