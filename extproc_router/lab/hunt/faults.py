"""What goes wrong during a case, and what the encoder says in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.sources import DOMAINS, EMBEDDING, Source
from extproc_router.types import Classification, Flag, HeadAnswer

if TYPE_CHECKING:
    import random

BREAKS: Final = ("asks", "read", "nan")
"""How a reader breaks: it raises when asked what it needs, when it reads, or says what is no number."""

_NAN: Final = float("nan")


class Heads(Struct, frozen=True):
    """What the encoder's heads say in a case.

    Attributes:
        domain: of every text.
        attack: of texts with an attack's mark, and of those without.
        puzzle: likewise, of texts that reasoning pays for.
        difficulty: of every text, in [0, 1].
        person: the score with which a name is found, in [0, 1].
        abstains: whether there is nothing that it reads.
    """

    domain: Classification
    attack: tuple[Flag, Flag]
    puzzle: tuple[Flag, Flag]
    difficulty: float
    person: float
    abstains: bool


class Faults(Struct, frozen=True):
    """What goes wrong.

    Attributes:
        broken: signal name -> how its reader breaks.
        encoder: `dead`, `late` or `overloaded`: no text is read; `texts`: some are not; `silent`: nothing comes back;
            empty where it works.
        lost: heads that are missing in every answer.
        confused: heads that answer with what is none of theirs.
        matcher: what language models do: `names` a route, `garbage`, `error`, or `silent`.
        no_room: whether there is no room for the body.
        reloads: whether the config is another one when the answers come.
    """

    broken: Mapping[str, str] = field(default_factory=dict)
    encoder: str = ""
    lost: frozenset[str] = frozenset()
    confused: Mapping[str, HeadAnswer] = field(default_factory=dict)
    matcher: str = "names"
    no_room: bool = False
    reloads: bool = False


def draw_heads(rng: random.Random) -> Heads:
    """Draw what the encoder says: sure, unsure, and contradicting itself."""
    label = rng.choice(DOMAINS)
    confidence = rng.choice([0.99, 0.85, 0.6, 0.45, 0.31, 0.1])
    probs = {label: confidence, rng.choice(DOMAINS): rng.random()}  # they need not sum to 1
    return Heads(
        Classification(label, confidence, probs),
        _flags(rng),
        _flags(rng),
        rng.choice([0.05, 0.3, 0.55, 0.9]),
        rng.choice([0.95, 0.6, 0.2]),
        happens(rng, 0.03),
    )


def _flags(rng: random.Random) -> tuple[Flag, Flag]:
    """Draw what a flag says where it should be raised, and where it should not: never less than that."""
    high, low = rng.choice([0.99, 0.75, 0.55]), rng.choice([0.01, 0.2, 0.45])
    raised = happens(rng, 0.9)
    return Flag(high, raised), Flag(low, raised and happens(rng, 0.05))


def draw(rng: random.Random, sources: Mapping[str, Source]) -> Faults:
    """Draw what goes wrong; in most cases nothing does."""
    if happens(rng, 0.55):
        return Faults(matcher=_matcher(rng))
    heads = sorted({source.head for source in sources.values()} - {"", EMBEDDING})
    broken: dict[str, str] = {}
    if sources and happens(rng, 0.4):
        broken = {rng.choice(sorted(sources)): rng.choice(BREAKS) for _ in range(2)}
    kind = rng.choice(["", "", "dead", "late", "overloaded", "texts", "silent", "lost", "confused"])
    some = frozenset(rng.sample(heads, k=min(len(heads), rng.randint(1, 2))))
    return Faults(
        broken,
        encoder="" if kind in {"lost", "confused"} else kind,
        lost=some if kind == "lost" else frozenset(),
        confused={head: _confusion(rng, head) for head in sorted(some)} if kind == "confused" else {},
        matcher=_matcher(rng),
        no_room=happens(rng, 0.06),
        reloads=happens(rng, 0.3),
    )


def _matcher(rng: random.Random) -> str:
    return rng.choice(["names", "names", "garbage", "error", "silent"])


def _confusion(rng: random.Random, head: str) -> HeadAnswer:
    """Return an answer that is none of a head's own kind, or no number."""
    wrong: tuple[HeadAnswer, ...] = (Flag(0.9, True),)
    if head == "domain":
        wrong = (Flag(0.9, True), Classification("math", _NAN, {}))
    elif head in {"jailbreak", "reasoning"}:
        wrong = (Classification("yes", 0.9, {}), Flag(_NAN, True))
    return rng.choice(wrong)
