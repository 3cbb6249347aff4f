"""Rules, compiled: what guards every route, and what chooses one."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from extproc_router.candidates import Candidate
from extproc_router.policy.base import Picker
from extproc_router.policy.conditions import All, Condition, Test
from extproc_router.types import Reason


class Action(StrEnum):
    """What a safety rule does, strictest first."""

    BLOCK = "block"  # 403 in the API's shape
    REFUSE = "refuse"  # a normal completion that declines
    REDACT = "redact"  # personal data become placeholders
    RESTRICT = "restrict"  # the request's privacy tier rises
    FLAG = "flag"  # it is logged


class Safeguard(Struct, frozen=True):
    """A safety rule.

    Attributes:
        name: as decisions tell it.
        condition: when it shall apply.
        action: what it does.
        message: what the client is told by BLOCK and REFUSE.
        tier: rank that RESTRICT raises the request to.
        signal: name of the signal of kind `pii` that REDACT redacts with.
        types: which of its types; None for all.
        strict: whether it applies, too, where a signal that it needs is absent.
        shadow: evaluated and told, never applied.
    """

    name: str
    condition: Condition
    action: Action
    message: str = ""
    tier: int = 0
    signal: str = ""
    types: frozenset[str] | None = None
    strict: bool = True
    shadow: bool = False

    @property
    def holds_back(self) -> bool:
        """Whether no request may go on that it has not judged."""
        return self.strict and not self.shadow and self.action is not Action.FLAG

    @property
    def applies(self) -> Condition:
        """The condition; for REDACT also that its signal can be read, whatever the condition asks."""
        return All((self.condition, Test(self.signal))) if self.action is Action.REDACT else self.condition


class Think(StrEnum):
    """Whether a rule has the model reason."""

    AUTO = "auto"  # where the signal `reasoning` says that it pays
    ON = "on"
    OFF = "off"


class Edits(Struct, frozen=True):
    """What a rule changes in the body beside the model.

    Attributes:
        think: None leaves reasoning alone.
        override: whether that stands above what the client said explicitly.
        max_tokens: upper bound on the completion.
        system_prefix: goes before the system prompt.
        include_usage: whether a streamed answer shall end with its usage.
    """

    think: Think | None = None
    override: bool = False
    max_tokens: int | None = None
    system_prefix: str = ""
    include_usage: bool = False


class Route(Struct, frozen=True):
    """A rule that chooses.

    Attributes:
        name: as decisions tell it.
        condition: when it matches.
        pool: the models that it may choose.
        picker: chooses among them.
        edits: what else it changes.
        reason: RULE, or DOMAIN for the table of domains.
        percent: of the requests that match, in (0, 100].
        by: what requests are told apart by for that, as in `policy.keys`.
        shadow: evaluated and told, never applied.
    """

    name: str
    condition: Condition
    pool: tuple[Candidate, ...]
    picker: Picker
    edits: Edits = Edits()
    reason: Reason = Reason.RULE
    percent: float = 100.0
    by: str = "request"
    shadow: bool = False
