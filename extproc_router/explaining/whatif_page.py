"""What another config would change: for people, and as one JSON object for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.explaining.columns import columns, count, wrapped
from extproc_router.policy.base import TYPICAL_COMPLETION_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.explaining.whatif import Comparison, Totals

_MOST_MOVES = 20
ESTIMATE = (
    "an estimate: the configs' prices, the prompt's tokens as the router estimates them, and completions of "
    f"{TYPICAL_COMPLETION_TOKENS} tokens, or fewer where the request bounds them"
)


def describe(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data, its members under the names of `whatif.Comparison`."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    return {**document, "estimate": ESTIMATE}


def write(found: Comparison) -> str:
    """Write a comparison: plain text, lines of at most 120 characters."""
    return "\n".join(_lines(found))


def _lines(found: Comparison) -> Iterator[str]:
    yield from columns([_name("before", found.before), _name("after", found.after)], indent="")
    share = f" ({found.changed / found.requests:.1%})" if found.requests else ""
    bad = f"; {count(found.bad_lines, 'line')} could not be used" if found.bad_lines else ""
    yield f"{count(found.requests, 'request')}, {count(found.changed, 'decision')} would change{share}{bad}"
    if found.same_model_other_body:
        same = count(found.same_model_other_body, "request")
        yield f"{same} would go to the same model with another body"
    yield from _moves(found)
    yield ""
    yield from _totals(found)
    yield from wrapped("The cost is ", f"{ESTIMATE}.")
    for totals in (found.before, found.after):
        if totals.unpriced:
            yield from wrapped("Note: ", f"no price in {totals.name}, so nothing counted: {', '.join(totals.unpriced)}")
        if totals.shed:
            lost = count(totals.shed, "request")
            yield from wrapped("Note: ", f"{lost} under {totals.name} went to the default: a signal could not be read")


def _name(label: str, totals: Totals) -> tuple[str, str]:
    return label, f"{totals.name}, version {totals.version}"


def _moves(found: Comparison) -> Iterator[str]:
    if not found.moves:
        return
    rows = [("from", "to", "requests", "for example")]
    rows += [(move.source, move.target, f"{move.count:,}", ", ".join(move.examples)) for move in found.moves]
    yield ""
    yield from columns(rows[: _MOST_MOVES + 1])
    if len(found.moves) > _MOST_MOVES:
        yield f"  ... {count(len(found.moves) - _MOST_MOVES, 'more pair')}"


def _counted(before: Mapping[str, int], after: Mapping[str, int], title: str) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys((*before, *after)):
        yield title.format(name), f"{before.get(name, 0):,}", f"{after.get(name, 0):,}"


def _totals(found: Comparison) -> Iterator[str]:
    before, after = found.before, found.after
    rows = [("", "before", "after")]
    rows += _counted(before.models, after.models, "{}")
    rows += [row for row in _counted(before.outcomes, after.outcomes, "({})") if row[0] != "(route)"]
    change = f" ({after.usd / before.usd - 1:+.1%})" if before.usd else ""
    rows.append(("estimated cost, USD", f"{before.usd:.6g}", f"{after.usd:.6g}{change}"))
    yield from columns(rows)
