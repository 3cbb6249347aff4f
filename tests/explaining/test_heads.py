from __future__ import annotations

import pytest

from extproc_router.explaining.heads import head_rows
from extproc_router.types import Classification, Encoding, Flag, HeadAnswer, Pair, Span


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        (
            Classification("math", 0.7, {"law": 0.2, "math": 0.7, "art": 0.06, "other": 0.04}),
            ["math 0.70 ############## tier 1", "law 0.20 ####", "art 0.06 #"],
        ),
        (Flag(0.95, raised=True), ["yes 0.95 ################### tier 1"]),
        (Flag(0.05, raised=False), ["no 0.05 # tier 1"]),
        (
            Pair(0.9, 0.6, 0.65),
            [
                "score 0.65 ############# tier 1",
                "strong is right 0.90 ##################",
                "weak is right 0.60 ############",
            ],
        ),
        ((Span(3, 9, "NAME", 1.0),), ["NAME 3-9 1.00 #################### tier 1"]),
        ((), ["nothing found tier 1"]),
    ],
)
def test_every_kind_of_answer_is_shown_with_its_tier(answer: HeadAnswer, rows: list[str]) -> None:
    encoding = Encoding({"it": answer}, {"it": 1}, 5, windowed=False)
    shown = head_rows("it", encoding)
    assert [name for name, _ in shown] == ["it", *[""] * (len(rows) - 1)]
    assert [" ".join(row.split()) for _, row in shown] == rows


def test_many_spans_are_counted() -> None:
    spans = tuple(Span(place, place + 1, "NAME", 0.5) for place in range(11))
    rows = head_rows("it", Encoding({"it": spans}, {"it": 1}, 5, windowed=False))
    assert len(rows) == 9
    assert rows[-1] == ("", "3 more")


def test_an_abstention_says_so() -> None:
    encoding = Encoding({"it": Flag(0.5, raised=False)}, {"it": 0}, 2, windowed=False, abstained=True)
    assert head_rows("it", encoding)[0][1].endswith("nothing to read")
