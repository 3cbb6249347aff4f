"""What strategies see of a request, and what they answer.

A strategy is one module of `policy/pickers` with

    class Options(Section)                            what may be written under `use`; `pick` is a Literal of its name
    def build(options: Options, scope: Scope) -> Picker   raises ValueError, one sentence, where it cannot work

and a line in `policy.pickers.KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from extproc_router.candidates import Beliefs, Candidate
from extproc_router.types import Modality, Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of a completion, for estimates of its cost and time alone; shorter where the client bounded it so.
TYPICAL_COMPLETION_TOKENS = 300


class Situation(Struct, frozen=True):
    """One request, as filters and strategies see it.

    Attributes:
        api: name of its dialect.
        tokens: in the whole prompt, estimated; at least 0.
        count: counts the prompt's tokens exactly for the model of a name; None where it has no tokenizer.
        max_tokens: bound on the completion that the client wrote; None where there is none.
        modalities: what it carries beside text.
        tools: whether it declares tools.
        signal: reads a signal by name; one that could not be read has `absent` set.
        key: what the request is told apart by, `conversation`, `request` or `header:NAME`; None where it has no such.
        beliefs: what outcomes have taught.
    """

    api: str
    tokens: int
    max_tokens: int | None
    modalities: frozenset[Modality]
    tools: bool
    signal: Callable[[str], Signal]
    key: Callable[[str], str | None]
    beliefs: Beliefs = Beliefs()
    count: Callable[[str], int | None] = lambda _: None


class Ranked(Struct, frozen=True):
    """A strategy's answer.

    Attributes:
        order: the pool, best first; nothing left out, nothing added.
        acceptable: names of those that serve this request well enough: a conversation may stay with one of them.
        why: half a sentence for people, e.g. `difficulty 0.71 >= 0.50`; no value that only the client knows.
        scores: name -> what it was ranked by, where there is such a number, higher is better.
    """

    order: tuple[Candidate, ...]
    acceptable: frozenset[str]
    why: str
    scores: Mapping[str, float] = field(default_factory=dict)


class Scope(Struct, frozen=True):
    """What building a strategy may need.

    Attributes:
        pool: the candidates that the rule names, in its order, or in file order where it names tags or all.
        signals: names of all signals that exist.
        numbers: of these, the ones that give a number.
        domain_floor: a domain below this confidence is none, in [0, 1].
    """

    pool: tuple[Candidate, ...]
    signals: frozenset[str]
    numbers: frozenset[str] = frozenset()
    domain_floor: float = 0.0


class Picker(Protocol):
    """One strategy, compiled; stateless and deterministic: the same situation gives the same answer."""

    @property
    def needs(self) -> frozenset[str]:
        """Names of the signals that it reads."""
        ...

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked | None:
        """Rank what is left of the pool after filtering, at least one candidate.

        Returns:
            None where a signal that it needs is absent: the declared default decides then.
        """
        ...
