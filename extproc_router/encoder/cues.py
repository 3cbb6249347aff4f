"""Where in the middle of a long text somebody may be giving orders to the model.

A long text is read in part, and whoever hides an instruction in one hides it where it is not read. These words answer
nothing: they choose which block of the middle the encoder gets to see beside head and tail, and whether word vectors
alone may call a text harmless.

Words alone, and no patterns with gaps: RE2 makes a small automaton of them, which no text can blow up.
"""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Any

import re2  # type: ignore[import-untyped]  # google-re2 ships no types
from msgspec import Struct

SCANNED = 1 << 16  # characters at either end of the stretch: two megabytes of middle cost what 128 KB do
_MOST = 256  # hits that are weighed at either end; a text made of cues alone stays cheap
_NEAR = 60  # characters between a verb and its object, in either order
_LONE, _TELLING = 1, 4  # what a verb or an object alone counts, and what a strong cue or a pair of the two does
_MEMORY = 16 << 20  # bytes for RE2's automaton


class Hit(Struct, frozen=True):
    """A cue: characters [start, end), and which section of `cues.txt` it is from."""

    start: int
    end: int
    kind: str


def find(text: str, start: int, end: int, width: int) -> int | None:
    """Find the middle of the densest cluster of cues.

    Args:
        text: any string.
        start: of the stretch that is searched, a character offset.
        end: of the stretch, exclusive. Of a longer one than 2 * `SCANNED` the first and last `SCANNED` are searched.
        width: characters that a cluster may span, >= 1.

    Returns:
        A character offset in [start, end), or None where no cue stands there. Ties go to the earliest cluster.
    """
    if end - start <= 2 * SCANNED:
        hits = hits_in(text, start, end)
    else:
        hits = [*hits_in(text, start, start + SCANNED), *hits_in(text, end - SCANNED, end)]
    weights = _weights(hits)
    best, middle, first, total = 0, None, 0, 0
    for last, hit in enumerate(hits):
        total += weights[last]
        while hit.end - hits[first].start > width and first < last:
            total -= weights[first]
            first += 1
        if total > best:
            best, middle = total, (hits[first].start + hit.end) // 2
    return middle


def is_telling(text: str) -> bool:
    """Whether a strong cue stands in a text, or a verb beside its object, within the first `_MOST` cues."""
    return _TELLING in _weights(hits_in(text, 0, len(text)))


def hits_in(text: str, start: int, end: int) -> list[Hit]:
    """List the cues of text[start:end], earliest first, at most `_MOST`."""
    # RE2 reads UTF-8, which has no unpaired surrogates; `?` is one character too, so that offsets stay.
    stretch = text[start:end].encode(errors="replace").decode()
    pattern, kinds = _vocabulary()
    found: list[Hit] = []
    for match in pattern.finditer(stretch):
        kind = kinds.get(" ".join(match.group().lower().split()), "object")
        found.append(Hit(start + match.start(), start + match.end(), kind))
        if len(found) == _MOST:
            break
    return found


def _weights(hits: list[Hit]) -> list[int]:
    weights = [_TELLING if hit.kind == "strong" else _LONE for hit in hits]
    for place in range(1, len(hits)):
        before, hit = hits[place - 1], hits[place]
        if {before.kind, hit.kind} == {"verb", "object"} and hit.start - before.end <= _NEAR:
            weights[place] = _TELLING
    return weights


@functools.cache
def _vocabulary() -> tuple[Any, dict[str, str]]:
    """Compile `cues.txt`: the pattern, and each cue's section by its words in lower case."""
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.max_mem = _MEMORY
    kinds: dict[str, str] = {}
    parts: list[str] = []
    section = ""
    for line in (resources.files(__package__) / "cues.txt").read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]") and "," not in line:
            section = line[1:-1]
        elif line and not line.startswith("# "):
            for cue in line.split(", "):
                word = cue.strip("|") if not cue.startswith("<|") else cue
                kinds[word.replace("\\n", "").strip()] = section
                parts.append(_regex(cue, word))
    return re2.compile("|".join(parts), options=options), kinds


def _regex(cue: str, word: str) -> str:
    escaped = r"\s+".join(re.escape(part).replace(r"\\n", r"\n") for part in word.split(" "))
    before = r"\b" if cue.startswith("|") else ""
    after = r"\b" if cue.endswith("|") and word != cue else ""
    return f"{before}{escaped}{after}"
