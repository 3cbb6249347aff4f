"""Written safety rules -> safeguards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.config.meaning import did_you_mean
from extproc_router.policy.rules import Action, Safeguard
from extproc_router.signals.pii import Pii

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extproc_router.config.conditions import Complain, Conditions, Path
    from extproc_router.config.rule_schema import SafetyRule
    from extproc_router.signals.base import Reader

_MESSAGES = {
    Action.BLOCK: "This request is not allowed here.",
    Action.REFUSE: "I'm sorry, but I can't help with that.",
}
# Members that mean something for one action alone.
_OF_ACTION = {
    "message": (Action.BLOCK, Action.REFUSE),
    "tier": (Action.RESTRICT,),
    "signal": (Action.REDACT,),
    "types": (Action.REDACT,),
}


class Safeguards:
    """Compiles the safety rules of one config.

    Args:
        tiers: privacy tiers, lowest first.
        readers: the signals, by name.
        conditions: compiles what they ask.
        complain: told of each mistake.
    """

    def __init__(
        self, tiers: Sequence[str], readers: Mapping[str, Reader], conditions: Conditions, complain: Complain
    ) -> None:
        self._tiers, self._readers, self._conditions, self._complain = tiers, readers, conditions, complain
        self._redacts = ""

    def compile(self, written: SafetyRule, path: Path) -> Safeguard:
        """Compile one rule."""
        action = Action(written.then)
        for member in sorted(written.model_fields_set & _OF_ACTION.keys()):
            if action not in _OF_ACTION[member]:
                listed = " and ".join(f"`then: {meant}`" for meant in _OF_ACTION[member])
                self._complain((*path, member), f"only for {listed}")
        condition = self._conditions.compile(
            written.when, (*path, "when"), guards=True, narrows=action is Action.RESTRICT
        )
        if action is Action.REDACT:
            self._check_redaction(written, path)
        return Safeguard(
            name=written.name,
            condition=condition,
            action=action,
            message=written.message or _MESSAGES.get(action, ""),
            tier=self._tier(written, path) if action is Action.RESTRICT else 0,
            signal=written.signal if action is Action.REDACT else "",
            types=None if written.types is None else frozenset(written.types),
            strict=written.when_absent == "apply",
            shadow=written.shadow,
        )

    def _tier(self, written: SafetyRule, path: Path) -> int:
        """Return the rank that a rule restricts to, the highest where it names none."""
        highest = len(self._tiers) - 1
        if not highest:
            self._complain((*path, "then"), "there is one privacy tier alone: name more in `privacy_tiers`")
        if written.tier is None:
            return highest
        if written.tier not in self._tiers:
            near = did_you_mean(written.tier, self._tiers)
            self._complain((*path, "tier"), f"unknown privacy tier {written.tier!r}{near}")
            return highest
        rank = self._tiers.index(written.tier)
        if highest and not rank:
            self._complain((*path, "tier"), f"{written.tier!r} is the lowest tier: it restricts nothing")
        return rank

    def _check_redaction(self, written: SafetyRule, path: Path) -> None:
        reader = self._readers.get(written.signal)
        if not isinstance(reader, Pii):
            if not self._conditions.is_told(written.signal):
                known = sorted(name for name, candidate in self._readers.items() if isinstance(candidate, Pii))
                listed = f"; there is {', '.join(known)}" if known else ""
                self._complain((*path, "signal"), f"{written.signal!r} is no signal of kind pii{listed}")
            return
        self._redacts = self._redacts or written.signal
        if written.signal != self._redacts:
            # Each numbers its placeholders from 1: two values would become one.
            self._complain(
                (*path, "signal"), f"{self._redacts!r} redacts already: let one signal find what all rules redact"
            )
        for place, kind in enumerate(written.types or ()):
            if kind not in reader.known:
                near = did_you_mean(kind, sorted(reader.known))
                self._complain((*path, "types", place), f"{written.signal!r} finds no {kind!r}{near}")
