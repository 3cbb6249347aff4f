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


class Cascade(Struct, frozen=True):
    """How the first answer is judged.

    Attributes:
        accept_at: probability in [0, 1] that it is good from which it is served.
        first_tokens: how much of a stream is judged before the client sees any of it.
    """

    accept_at: float = 0.5
    first_tokens: int = 32


class Fallback(Struct, frozen=True):
    """What is tried where a model fails.

    Attributes:
        models: names; behind every chain of a request that leaves the choice to us.
        attempts: how many models one request may try, at least 1.
        stream_seconds: silence before a stream's first byte that means the next model.
        answer_seconds: the same where the answer comes whole.
        on_context_length: whether a 400 that says that the prompt is too long means the next model, too.
    """

    models: tuple[str, ...] = ()
    attempts: int = 3
    stream_seconds: float = 15.0
    answer_seconds: float = 300.0
    on_context_length: bool = False


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
        cascade: how its first model's answer is judged; None where it is not.
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
    cascade: Cascade | None = None
