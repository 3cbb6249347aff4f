"""What a config says and hardly means: told as warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.config.loader import Config
    from extproc_router.policy.rules import Safeguard
    from extproc_router.types import Mistake

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
    for place, guard in guards.items():
        if guard.tier > highest:
            message = f"no model is cleared for {config.privacy_tiers[guard.tier]!r}: such requests get a 503"
            yield config.document.mistake(("safety", place), message)
        for name in sorted(guard.condition.names):
            if getattr(signals.get(name), "of", None) == "prompt":
                message = f"{name!r} reads the user's last turn alone: `of: incoming` or `everything` reads more"
                yield config.document.mistake(("safety", place, "when"), message)
