"""Which tier answers what: the first that is sure enough, head by head; and no tier runs that nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.encoder.heads import View
from extproc_router.types import Flag, HeadAnswer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from extproc_router.encoder.heads import Head


class Settled(Struct, frozen=True):
    """Every head's answer.

    Attributes:
        answers: head name -> answer.
        tiers: head name -> the tier that gave it.
        last: what the last tier that ran saw; None where none did.
    """

    answers: dict[str, HeadAnswer]
    tiers: dict[str, int]
    last: View | None


def settle(
    heads: Mapping[str, Head],
    views: Iterable[View],
    final: int,
    *,
    early: bool,
    through: bool,
    undeniable: Collection[str] = (),
) -> Settled:
    """Ask heads tier by tier.

    Args:
        heads: who is asked.
        views: the tiers in order; taking the next one computes it.
        final: number of the last tier, which answers whatever is left.
        early: whether an earlier tier may answer.
        through: whether to run to the end though nobody waits.
        undeniable: flags that an earlier tier may raise, and the last one alone may say no to.
    """
    answers: dict[str, HeadAnswer] = {}
    tiers: dict[str, int] = {}
    view = None
    waiting = dict(heads)
    if not waiting and not through:
        return Settled(answers, tiers, None)
    for view in views:
        is_last = view.tier == final
        for name, head in list(waiting.items()) if early or is_last else ():
            answer = head.read(view, final=is_last)
            if answer is not None and (is_last or name not in undeniable or _is_raised(answer)):
                answers[name], tiers[name] = answer, view.tier
                del waiting[name]
        if is_last or not (waiting or through):
            break
    return Settled({name: answers[name] for name in heads}, {name: tiers[name] for name in heads}, view)


def _is_raised(answer: HeadAnswer) -> bool:
    return isinstance(answer, Flag) and answer.raised
