"""What a hunt tells people; its last line is for machines, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.lab.hunt.tally import MutantResult, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 10
"""Leaks that are told: whoever has ten has the eleventh from the same place."""


class Bag(Struct, frozen=True):
    """All that came of a hunt.

    Attributes:
        tallies: what was hunted -> what was found.
        mutants: what is broken on purpose, and whether it was noticed.
        samples: the same of cases that are among the others already, and were walked another way too.
    """

    tallies: dict[str, Tally]
    mutants: tuple[MutantResult, ...]
    samples: dict[str, Tally] = {}

    @property
    def leaks(self) -> int:
        """How many cases leaked."""
        return sum(len(tally.leaks) for tally in (*self.tallies.values(), *self.samples.values()))

    @property
    def is_clean(self) -> bool:
        """Whether nothing leaked, and every mutant was caught."""
        return not self.leaks and all(mutant.caught for mutant in self.mutants)


def lines(bag: Bag) -> Iterator[str]:
    """Yield the report."""
    tallies = bag.tallies | bag.samples
    for what, tally in tallies.items():
        for leak in tally.leaks[:_SHOWN]:
            yield f"LEAK, {what}, {leak.case}"
            yield from (f"    {line}" for line in leak.story.splitlines())
    width = max((len(mutant.name) for mutant in bag.mutants), default=0)
    for mutant in sorted(bag.mutants, key=lambda mutant: mutant.caught):
        yield f"{'caught' if mutant.caught else 'MISSED'}  {mutant.name:{width}}  {mutant.how}"
    for what, tally in tallies.items():
        yield f"{what}: cases {tally.cases}, leaks {len(tally.leaks)}"
    yield last(bag)


def last(bag: Bag) -> str:
    """Return the last line."""
    cases = sum(tally.cases for tally in bag.tallies.values())
    caught = sum(mutant.caught for mutant in bag.mutants)
    return f"cases {cases}, leaks {bag.leaks}, mutants caught {caught} of {len(bag.mutants)}"
