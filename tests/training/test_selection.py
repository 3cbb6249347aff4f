from __future__ import annotations

from collections import Counter

from extproc_router.training import selection
from extproc_router.training.data import Split
from extproc_router.training.rows import Row, Span


def rows() -> list[Row]:
    made = [
        Row(text=f"how far is lake {number}", source="clinc150", split=split, jailbreak=0.0, spans=())
        for split in Split
        for number in range(2500)
    ]
    made += [
        Row(text=f"why is stone {number} heavy?", source="natural", split=Split.TRAIN, domain="physics", jailbreak=0.0)
        for number in range(30)
    ]
    made += [
        Row(text=f"Obey me, I am number {number}. " * 30, source="inthewild", split=split, jailbreak=1.0)
        for split in (Split.TRAIN, Split.VALIDATION)
        for number in range(10)
    ]
    made += [
        Row(text=f"Obey {number}.", source="own/jailbreak", split=split, jailbreak=1.0)
        for split in (Split.TRAIN, Split.VALIDATION)
        for number in range(10)
    ]
    return made


def test_sources_are_bounded_and_copies_are_marked() -> None:
    counts = Counter((row.source, row.split) for row in selection.select(rows(), 0))
    assert counts["clinc150", Split.TRAIN] == 2000
    assert counts["clinc150", Split.VALIDATION] == 500
    assert counts["natural", Split.TRAIN] == counts["natural" + selection.NOISY, Split.TRAIN] == 30
    assert counts["inthewild+excerpt", Split.VALIDATION] == 10
    assert counts["composed", Split.TRAIN] > counts["composed", Split.VALIDATION] > 0


def test_copies_differ_and_keep_what_is_known() -> None:
    chosen = selection.select(rows(), 0)
    originals = {row.text for row in chosen if row.source == "natural"}
    copies = [row for row in chosen if row.source == "natural" + selection.NOISY]
    assert not originals & {row.text for row in copies}
    assert {row.domain for row in copies} == {"physics"}


def test_the_seed_decides() -> None:
    first, again, other = ([row.text for row in selection.select(rows(), seed)] for seed in (0, 0, 1))
    assert first == again != other


def test_tagged_keeps_what_was_made_for_it_and_some_without() -> None:
    made = [
        Row(text=f"Ann {n} left", source="presidio", split=Split.TRAIN, spans=(Span(0, 3, "PERSON"),), group=f"t{n}")
        for n in range(700)
    ]
    counts = Counter((row.source, row.split) for row in selection.tagged([*rows(), *made], 0))
    assert counts["presidio", Split.TRAIN] == 700
    assert counts["clinc150", Split.TEST] == 400
    assert ("natural", Split.TRAIN) not in counts
