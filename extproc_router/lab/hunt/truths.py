"""What each signal has to say of a case, known by construction and without asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extproc_router.lab.hunt import sketches
from extproc_router.lab.hunt.clauses import ABSENT, Truth
from extproc_router.lab.hunt.requests import Shape
from extproc_router.lab.hunt.sources import EMBEDDING, FOUND, LONG, PERSON

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from extproc_router.lab.hunt.faults import Heads
    from extproc_router.lab.hunt.requests import Case
    from extproc_router.lab.hunt.sketches import Sketch
    from extproc_router.lab.hunt.sources import Source
    from extproc_router.types import Flag

_SURE_LANGUAGE: Final = 0.98
_SURE_ROUTE: Final = 0.93  # among three or fewer, by embeddings of a hunt's encoder
_YES: Final = frozenset({"yes"})
_PROSE: Final = frozenset({"keyword", "regex", "language", "context", "length", "pii", "conversation"})


def truth(source: Source, case: Case, hurt: Collection[str] = ()) -> Truth:
    """Return what a signal has to say.

    Args:
        source: the signal.
        case: the request, what the encoder says and what goes wrong.
        hurt: heads of the encoder that had to answer and did not.
    """
    if source.is_fact and source.name not in case.faults.broken:
        labels = case.given[source.name]
        return ABSENT if labels is None else Truth(labels)
    # What stands for text, and is none, has not been read either.
    is_unread = case.shape is not Shape.READ or (case.sketch.ids and (source.head or source.kind in _PROSE))
    if is_unread or source.name in case.faults.broken or source.head in hurt:
        return ABSENT
    return _encoded(source, case) if source.head else _plain(source, case)


def _planted(source: Source, sketch: Sketch) -> frozenset[str]:
    """Return the labels that it has to find in what it reads."""
    return frozenset(
        plant.label for plant in sketch.plants if plant.source == source.name and sketches.sees(source, plant.place)
    )


def _plain(source: Source, case: Case) -> Truth:
    sketch, kind = case.sketch, source.kind
    if kind in {"keyword", "regex", "pii"}:
        found = _planted(source, sketch)
        return Truth(found, 0.0 if kind == "pii" and sketch.silent else 1.0, number=float(len(found)))
    if kind == "language":
        return Truth(confidence=0.0) if sketch.silent else Truth(frozenset({sketch.language}), _SURE_LANGUAGE)
    if kind in {"context", "length"}:
        return Truth(number=2.0 * LONG if sketch.long else 0.0)
    if kind == "conversation":
        return Truth(number=float(sum(turn.role != "system" for turn in sketch.turns)))
    return Truth(_facts(kind, case))


def _facts(kind: str, case: Case) -> frozenset[str]:
    """Return the labels of what is plain to see."""
    sketch = case.sketch
    roles = {turn.role for turn in sketch.turns}
    is_batch = sketch.batch if case.patient is None else case.patient
    said = {
        "stream": (("yes", sketch.stream),),
        "modality": (("image", sketch.image),),
        "tools": (("declared", bool(sketch.declared)), ("called", "call" in roles), ("results", "tool" in roles)),
        "latency_class": (("batch", is_batch), ("interactive", not is_batch)),
    }
    return frozenset(label for label, holds in said[kind] if holds)


def _encoded(source: Source, case: Case) -> Truth:
    heads, kind = case.heads, source.kind
    is_blind = heads.abstains or case.sketch.silent
    if kind == "pii":
        return Truth(confidence=0.0, number=0.0) if case.sketch.silent else _people(source, case)
    if kind in {"jailbreak", "reasoning"}:
        flags = heads.attack if kind == "jailbreak" else heads.puzzle
        return _flag(source, flags[not _planted(source, case.sketch)], is_blind=is_blind)
    if is_blind:
        return Truth(confidence=0.0)
    if kind == "difficulty":
        return Truth(number=heads.difficulty)
    if kind == "domain":
        return Truth(frozenset({heads.domain.label}), heads.domain.confidence)
    return Truth(_planted(source, case.sketch), _SURE_ROUTE)


def _flag(source: Source, flag: Flag, *, is_blind: bool) -> Truth:
    if is_blind:
        return Truth(confidence=0.0, number=0.0)
    is_raised = flag.raised if source.score is None else flag.p >= source.score
    return Truth(_YES, flag.p, flag.p) if is_raised else Truth(frozenset(), 1.0 - flag.p, flag.p)


def _people(source: Source, case: Case) -> Truth:
    """Of personal data the encoder finds names alone; whatever has a form is sure."""
    found = _planted(source, case.sketch)
    if not finds_people(case.heads):
        found -= {PERSON}
    return Truth(found, case.heads.person if found == {PERSON} else 1.0, number=float(len(found)))


def finds_people(heads: Heads) -> bool:
    """Whether a name that stands there is found."""
    return heads.person >= FOUND and not heads.abstains


def hurt_heads(asked: Iterator[tuple[bool, frozenset[str], bool]], case: Case) -> frozenset[str]:
    """Return the heads that had to answer and did not.

    Args:
        asked: of each text that was asked about: whether it was answered, the heads, and whether its embedding was
            wanted.
        case: what goes wrong in it.
    """
    wrong = case.faults.lost | case.faults.confused.keys()
    if case.heads.abstains:
        wrong &= {"pii"}  # what the others say is not looked at then
    hurt: set[str] = set()
    for answered, heads, embedding in asked:
        hurt |= heads & wrong if answered else heads | ({EMBEDDING} if embedding else set())
    return frozenset(hurt)
