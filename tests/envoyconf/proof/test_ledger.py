from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof.doubts import Doubt
from extproc_router.envoyconf.proof.ledger import Ledger

if TYPE_CHECKING:
    from tests.envoyconf.conftest import Read


def test_each_thing_is_told_once_and_in_file_order(read: Read) -> None:
    root = read("a: 1\nb: 2\n")
    ledger = Ledger()
    for name in ("b", "a", "b"):
        ledger.leak(root.get(name), name, "story")
        ledger.doubt([Doubt(root.get(name), name, "why")])
    assert [(mistake.line, mistake.message) for mistake in ledger.leaks] == [(1, "story"), (2, "story")]
    assert [(mistake.line, mistake.message) for mistake in ledger.doubts] == [
        (1, "not proved: why"),
        (2, "not proved: why"),
    ]


def test_no_more_are_told_than_people_read(read: Read) -> None:
    ledger = Ledger()
    for number in range(1000):
        ledger.leak(read({}), "x", str(number))
    assert len(ledger.leaks) == 100
