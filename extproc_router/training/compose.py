"""Attacks inside harmless material, and harmless texts as long as attacks, put together anew for each epoch.

The collected attacks are long and the collected harmless prompts short: a classifier would learn length. Here both
classes come in every length, and the same harmless material stands on both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extproc_router.training.rows import Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from extproc_router.training.data import Split

SHORT: Final = 400  # characters: an attack that can be hidden in something else
LONG: Final = 500  # characters: from here on an attack is shown in excerpts too
_HOST: Final = 700  # characters of one piece of harmless material
_ASKS: Final = (
    "Summarise this:\n\n{}",
    "Summarize the following text in two sentences.\n\n{}",
    "Translate into French:\n\n{}",
    "What is the main point here?\n\n{}",
    "{}\n\nPlease proofread the text above.",
    "Reply to this mail for me:\n\n{}",
    "Here is the page I found:\n\n{}\n\nIs it any use?",
    "Extract the names and dates.\n\n{}",
    "Context:\n{}\n\nAnswer from the context only.",
    "{}",
    "{}",
    "tl;dr?\n{}",
    "Result of the tool `search`:\n{}",
    "User ticket #4411\n{}\n\nWhich team is this for?",
    "Review this code comment and text:\n\n{}",
)
_SEAMS: Final = (
    "\n\n",
    "\n",
    " ",
    "\n---\n",
    "\n\n> ",
    "\n<!-- ",
    "\n# ",
    "\n\nP.S. ",
    "\n\nNote: ",
    " // ",
    "\n* ",
    "\n\nIMPORTANT: ",
)


def injected(attacks: Sequence[str], hosts: Sequence[str], chooser: Random) -> str:
    """An attack at the beginning, in the middle or at the end of harmless material."""
    pieces = [host[:_HOST] for host in chooser.choices(hosts, k=chooser.randint(1, 4))]
    pieces.insert(chooser.randint(0, len(pieces)), chooser.choice(attacks))
    return _joined(pieces, chooser)


def harmless(hosts: Sequence[str], chooser: Random) -> str:
    """Harmless material of the same make, without an attack."""
    return _joined([host[:_HOST] for host in chooser.choices(hosts, k=chooser.randint(2, 5))], chooser)


def excerpt(attack: str, chooser: Random) -> str:
    """A long attack cut to a run of its sentences, so that attacks come in every length."""
    sentences = [part for part in attack.replace("\n", ". ").split(". ") if part.strip()]
    kept = chooser.randint(2, 8)
    if len(sentences) <= kept:
        return attack
    start = 0 if chooser.random() < 0.5 else chooser.randrange(len(sentences) - kept)  # noqa: PLR2004
    return ". ".join(sentences[start : start + kept])


def compose(rows: Sequence[Row], count: int, split: Split, chooser: Random) -> list[Row]:
    """Compose `count` attacks and as many harmless texts from the rows of one split."""
    side = [row for row in rows if row.split is split]
    attacks = [row.text for row in side if row.jailbreak == 1.0 and len(row.text) <= SHORT]
    hosts = [row.text for row in side if row.jailbreak == 0.0 and row.source != "own/lookalikes"]
    made = [(injected(attacks, hosts, chooser), 1.0) for _ in range(count)]
    made += [(harmless(hosts, chooser), 0.0) for _ in range(count)]
    return [Row(text=text, source="composed", split=split, jailbreak=label) for text, label in made]


def _joined(pieces: Sequence[str], chooser: Random) -> str:
    text = pieces[0]
    for piece in pieces[1:]:
        text += chooser.choice(_SEAMS) + piece
    return chooser.choice(_ASKS).replace("{}", text)
