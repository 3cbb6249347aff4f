"""What the encoder's heads answered, as rows for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.types import Classification, Flag, Pair

if TYPE_CHECKING:
    from extproc_router.types import Encoding

_TOP_LABELS = 3
_BAR = 20
_MOST_SPANS = 8


def head_rows(name: str, encoding: Encoding) -> list[tuple[str, str]]:
    """Show one head's answer, and the tier that gave it; only the first row has the name."""
    answer, tier = encoding.heads[name], f"tier {encoding.tiers[name]}"
    if isinstance(answer, Classification):
        ranked = sorted(answer.probs.items(), key=lambda pair: -pair[1])[:_TOP_LABELS]
        lines = [_bar(label, p) for label, p in ranked]
    elif isinstance(answer, Flag):
        lines = [_bar("yes" if answer.raised else "no", answer.p)]
    elif isinstance(answer, Pair):
        parts = {"score": answer.score, "strong is right": answer.strong, "weak is right": answer.weak}
        lines = [_bar(label, p) for label, p in parts.items()]
    else:
        lines = [_bar(f"{span.type} {span.start}-{span.end}", span.score) for span in answer[:_MOST_SPANS]]
        lines += [f"{len(answer) - _MOST_SPANS} more"] if len(answer) > _MOST_SPANS else []
        lines = lines or ["nothing found"]
    first, *more = lines
    return [(name, f"{first:<52}{'nothing to read' if encoding.abstained else tier}"), *(("", line) for line in more)]


def _bar(label: str, p: float) -> str:
    return f"{label:<24} {p:5.2f} {'#' * round(p * _BAR)}"
