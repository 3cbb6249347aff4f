from __future__ import annotations

from extproc_router.lab.hunt.tally import Leak, Tally


def test_a_tally_has_no_leaks_until_it_is_told_of_some() -> None:
    assert Tally(3).leaks == ()
    assert Tally(3, (Leak("case", "story"),)) != Tally(3)
