from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config import loader
from extproc_router.errors import StartupError
from extproc_router.explaining import whatif
from extproc_router.policy.base import TYPICAL_COMPLETION_TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.bulk.jsonl import Faults

    Compare = Callable[..., tuple[whatif.Comparison, Faults]]

LINES = (
    {"id": "q1", "text": "some hard math"},
    {"text": "some hard math quietly"},
    {"messages": [{"role": "user", "content": "an attack"}]},
    {"text": "damn"},
    {"text": "broken"},
    {"body": {"model": "gpt-9", "messages": []}},
    {"text": "hello"},
)


@pytest.fixture
def compare(told_config: str, scripted_encoder: Any, tmp_path: Path) -> Compare:
    """Compare the config with itself, one text replaced, on lines of data."""

    def run(change: tuple[str, str], *lines: object) -> tuple[whatif.Comparison, Faults]:
        assert change[0] in told_config
        data = tmp_path / "data.jsonl"
        data.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        texts = {"before.yaml": told_config, "after.yaml": told_config.replace(*change)}
        sides = [whatif.Side(name, loader.load(text, name), scripted_encoder) for name, text in texts.items()]
        return whatif.compare(sides[0], sides[1], data)

    return run


def test_the_same_config_changes_nothing(compare: Compare) -> None:
    found, faults = compare(("small", "small"), *LINES)
    assert (found.requests, found.changed, found.moves, found.same_model_other_body) == (7, 0, (), 0)
    assert (found.before.usd, found.before.outcomes) == (found.after.usd, found.after.outcomes)
    assert found.before.outcomes == {"route": 3, "block": 1, "refuse": 1, "unchecked": 1, "error": 1}
    assert faults.count == 0


def test_moves_are_counted_with_examples(compare: Compare) -> None:
    found, _ = compare(("strong: large", "strong: free"), *LINES)
    assert found.changed == 2
    [move] = found.moves
    assert (move.source, move.target, move.count, move.examples) == ("large", "free", 2, ("q1", "line 2"))
    assert found.before.models == {"large": 2, "small": 1}
    assert found.after.unpriced == ("free",)


def test_what_becomes_refused_is_a_move_too(compare: Compare) -> None:
    found, _ = compare(("keywords: [damn]", "keywords: [hello]"), *LINES)
    assert {(move.source, move.target) for move in found.moves} == {("refuse", "small"), ("small", "refuse")}


def test_another_body_for_the_same_model_is_counted_apart(compare: Compare) -> None:
    found, _ = compare(("max_tokens: 100", "max_tokens: 50"), *LINES)
    assert (found.changed, found.same_model_other_body) == (0, 2)
    assert found.after.usd < found.before.usd


def test_cost_is_price_times_tokens(compare: Compare) -> None:
    found, _ = compare(("small", "small"), {"text": "hello"})
    prompt = found.before.usd * 1_000_000 - 2 * TYPICAL_COMPLETION_TOKENS
    assert 1 <= prompt <= 10


def test_bad_lines_are_told_by_number_and_skipped(compare: Compare) -> None:
    found, faults = compare(("small", "small"), "nope", LINES[0], {"text": 3})
    assert (found.requests, found.bad_lines) == (1, 2)
    assert [fault.line for fault in faults.first] == [1, 3]


def test_no_file_is_said(compare: Compare, tmp_path: Path, told_config: str, scripted_encoder: Any) -> None:
    side = whatif.Side("a", loader.load(told_config, "a"), scripted_encoder)
    with pytest.raises(StartupError, match="No such file"):
        whatif.compare(side, side, tmp_path / "none")
