from __future__ import annotations

import json

from msgspec.structs import replace

from extproc_router.explaining import whatif_page
from extproc_router.explaining.columns import WIDTH
from extproc_router.explaining.whatif import Comparison, Move, Totals

BEFORE = Totals("a.yaml", "v1", {"large": 4, "small": 1}, {"route": 5, "block": 1}, 2.0, (), 0)
AFTER = Totals("b.yaml", "v2", {"small": 4, "free": 1}, {"route": 5, "error": 1}, 0.5, ("free",), 2)
FOUND = Comparison(
    6, 1, 4, 1, (Move("large", "small", 3, ("q1", "line 2")), Move("block", "error", 1, ("q9",))), BEFORE, AFTER
)


def words(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_changes_costs_and_cautions_are_told() -> None:
    said = words(whatif_page.write(FOUND))
    for part in (
        "6 requests, 4 decisions would change (66.7%); 1 line could not be used",
        "1 request would go to the same model with another body",
        "large small 3 q1, line 2",
        "large 4 0",
        "(block) 1 0",
        "estimated cost, USD 2 0.5 (-75.0%)",
        "an estimate",
        "no price in b.yaml, so nothing counted: free",
        "2 requests under b.yaml went to the default",
    ):
        assert part in said
    assert all(len(line) <= WIDTH for line in said.splitlines())


def test_nothing_to_compare_is_no_division() -> None:
    nothing = Totals("a.yaml", "v1", {}, {}, 0.0, (), 0)
    said = whatif_page.write(Comparison(0, 0, 0, 0, (), nothing, nothing))
    assert "0 requests, 0 decisions would change\n" in said


def test_many_pairs_are_cut_and_said() -> None:
    moves = tuple(Move(f"m{place}", "small", 1, ()) for place in range(30))
    said = whatif_page.write(replace(FOUND, moves=moves))
    assert "... 10 more pairs" in said
    assert "m25" not in said


def test_machines_get_all_of_it() -> None:
    told = json.loads(json.dumps(whatif_page.describe(FOUND)))
    assert told["moves"][0] == {"from": "large", "to": "small", "count": 3, "examples": ["q1", "line 2"]}
    assert told["after"]["unpriced"] == ["free"]
    assert "estimate" in told["estimate"]
