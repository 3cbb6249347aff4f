"""Traffic as histograms: all that drift needs to know, and nothing that could be read back into a prompt.

Decision logs, prompt files and saved histograms become the same counts, so that a comparison gives the same answer
whichever of them was kept.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from extproc_router.bulk.jsonl import Faults, read_lines
from extproc_router.bulk.progress import Progress
from extproc_router.errors import StartupError
from extproc_router.types import Classification, Flag, Pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.types import Encoding, HeadAnswer

FORMAT = "extproc-router-histograms-1"
UNIT_BINS = 50
LENGTH_BINS = 80
MILLI_BINS = 80
LEAST_MILLI = 0.01
_STEPS_PER_DOUBLING = 4
_MOST_LABELS = 1000
_CASCADE = "cascade"  # what the decision log calls the line of a cascade
_OTHER = "(other)"
_MOST_MILLIS = 1e9
_MOST_ROWS = 2**53  # beyond, a float64 does not count one by one
_Count = Annotated[int, Meta(ge=0, le=_MOST_ROWS)]


class Histograms(Struct, forbid_unknown_fields=True):
    """Counts of one stretch of traffic; grows by `add_...`.

    Attributes:
        format: `FORMAT`.
        rows: requests.
        labels: signal -> label -> count. Beyond 1,000 labels of one signal the rest is `(other)`.
        units: signal -> counts in `UNIT_BINS` equal bins of [0, 1].
        lengths: signal -> counts in `LENGTH_BINS` bins, four for each doubling of a count of characters.
        millis: latencies of the router in `MILLI_BINS` bins, four for each doubling from 0.01 ms; shown, not tested.
        versions: `config` and `encoder` -> version -> count; compared in words, not tested.
        dropped: log lines that the log itself says it lost.
    """

    format: str = FORMAT
    rows: _Count = 0
    labels: dict[str, dict[str, _Count]] = field(default_factory=dict)
    units: dict[str, list[_Count]] = field(default_factory=dict)
    lengths: dict[str, list[_Count]] = field(default_factory=dict)
    millis: dict[str, list[_Count]] = field(default_factory=dict)
    versions: dict[str, dict[str, _Count]] = field(default_factory=dict)
    dropped: _Count = 0

    def add_label(self, signal: str, label: str) -> None:
        """Count one label."""
        counts = self.labels.setdefault(signal, {})
        key = label if label in counts or len(counts) < _MOST_LABELS else _OTHER
        counts[key] = counts.get(key, 0) + 1

    def add_unit(self, signal: str, value: float) -> None:
        """Count one number in [0, 1]."""
        counts = self.units.setdefault(signal, [0] * UNIT_BINS)
        counts[min(int(min(max(value, 0.0), 1.0) * UNIT_BINS), UNIT_BINS - 1)] += 1

    def add_length(self, signal: str, value: int) -> None:
        """Count one length >= 0."""
        at = 0 if value < 1 else 1 + int(math.log2(value) * _STEPS_PER_DOUBLING)
        self.lengths.setdefault(signal, [0] * LENGTH_BINS)[min(at, LENGTH_BINS - 1)] += 1

    def add_millis(self, name: str, value: float) -> None:
        """Count one latency in milliseconds."""
        value = min(value, _MOST_MILLIS)
        at = 0 if value <= LEAST_MILLI else int(math.log2(value / LEAST_MILLI) * _STEPS_PER_DOUBLING)
        self.millis.setdefault(name, [0] * MILLI_BINS)[min(at, MILLI_BINS - 1)] += 1


def milli_edges() -> list[float]:
    """Lower edges of the latency bins, in milliseconds."""
    return [LEAST_MILLI * 2 ** (at / _STEPS_PER_DOUBLING) for at in range(MILLI_BINS)]


def read(
    path: Path, *, encode: Callable[[str], Encoding] | None = None, strict: bool = False
) -> tuple[Histograms, Faults]:
    """Read a decision log, a prompt file or saved histograms; the lines themselves say which.

    Args:
        path: JSON Lines, plain or gzipped.
        encode: reads the prompts of a prompt file, so that the heads' answers are compared too.
        strict: whether a bad line is an error.

    Returns:
        The counts, and the lines that were left out. After Ctrl-C: the counts so far.

    Raises:
        StartupError: the file cannot be read, a line is bad in strict mode, or no line is left.
    """
    found, faults = Histograms(), Faults(str(path), strict=strict)
    decoder = msgspec.json.Decoder(dict[str, Any])
    try:
        with Progress("reading", None) as progress:
            for number, line in progress.over(read_lines(path)):
                try:
                    row = decoder.decode(line)
                    if row.get("format") == FORMAT:
                        return _saved(line), faults
                    _add(found, row, encode)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
                    faults.add(number, str(error))
    except KeyboardInterrupt:
        if not found.rows:
            raise
    if not found.rows:
        raise StartupError(f"{path}: no usable line\n{faults}".rstrip())
    return found, faults


def dump(found: Histograms) -> bytes:
    """Write histograms as one JSON line, labels in order; `read` reads it."""
    return msgspec.json.encode(found, order="deterministic") + b"\n"


def _saved(line: bytes) -> Histograms:
    found = msgspec.json.decode(line, type=Histograms)
    wrong = [name for name, counts in found.units.items() if len(counts) != UNIT_BINS]
    wrong += [name for name, counts in found.millis.items() if len(counts) != MILLI_BINS]
    wrong += [name for name, counts in found.lengths.items() if len(counts) != LENGTH_BINS]
    for signals in (found.units, found.millis, found.lengths):
        wrong += [f"{name} (no counts)" for name, counts in signals.items() if not any(counts)]
    wrong += [f"{name} (no counts)" for name, labels in found.labels.items() if not any(labels.values())]
    if wrong or not found.rows:
        raise ValueError(f"histograms of another shape: {', '.join(wrong) or 'no rows'}")
    return found


def _add(found: Histograms, row: dict[str, Any], encode: Callable[[str], Encoding] | None) -> None:
    if isinstance(row.get("dropped"), int) and "reason" not in row:
        if not 0 <= row["dropped"] <= _MOST_ROWS:
            raise ValueError("`dropped` is no count of lines")
        found.dropped += row["dropped"]
    elif "reason" in row and "signals" in row:
        _add_decision(found, row)
    elif row.get("kind") == _CASCADE:
        return  # it tells of answers; the request's own line tells of the prompt
    else:
        _add_prompt(found, row, encode)


def _add_decision(found: Histograms, row: dict[str, Any]) -> None:
    signals = row["signals"]
    if not isinstance(signals, list) or not all(isinstance(signal, dict) and "name" in signal for signal in signals):
        raise ValueError("`signals` is not a list of objects with a `name`")
    read_signals = [(str(signal["name"]), signal.get("label"), signal.get("confidence")) for signal in signals]
    found.rows += 1
    for name in ("model", "reason", "api", "privacy_tier"):
        if row.get(name):
            found.add_label(name, str(row[name]))
    for name, label, confidence in read_signals:
        if isinstance(label, str):
            found.add_label(f"{name} label", label)
        if isinstance(confidence, int | float):
            found.add_unit(f"{name} confidence", confidence)
    if isinstance(row.get("total_ms"), int | float):
        found.add_millis("decision", row["total_ms"])
    for name in ("config", "encoder"):
        version = row.get(f"{name}_version")
        if isinstance(version, str) and version:
            counts = Counter(found.versions.get(name, {}))
            counts[version] += 1
            found.versions[name] = dict(counts)


def _add_prompt(found: Histograms, row: dict[str, Any], encode: Callable[[str], Encoding] | None) -> None:
    text = _text(row)
    found.rows += 1
    found.add_length("prompt length", len(text))
    found.add_label("prompt has code", "yes" if "```" in text else "no")
    found.add_unit("prompt not ASCII", sum(not letter.isascii() for letter in text) / max(len(text), 1))
    for name in ("group", "category", "subject", "task", "domain", "source"):
        if isinstance(row.get(name), str):
            found.add_label(name, row[name])
    if encode is None:
        return
    for head, answer in encode(text).heads.items():
        _add_answer(found, head, answer)


def _add_answer(found: Histograms, head: str, answer: HeadAnswer) -> None:
    if isinstance(answer, Classification):
        found.add_label(f"{head} label", answer.label)
        found.add_unit(f"{head} confidence", answer.confidence)
    elif isinstance(answer, Flag):
        found.add_label(f"{head} flag", "yes" if answer.raised else "no")
        found.add_unit(f"{head} probability", answer.p)
    elif isinstance(answer, Pair):
        found.add_unit(f"{head} score", answer.score)
    else:
        found.add_label(f"{head} spans", "some" if answer else "none")


def _text(row: dict[str, Any]) -> str:
    for name in ("prompt", "text"):
        if isinstance(row.get(name), str):
            return str(row[name])
    messages = row.get("messages")
    if isinstance(messages, list):
        contents = [message.get("content") for message in messages if isinstance(message, dict)]
        return "\n".join(content for content in contents if isinstance(content, str))
    raise ValueError(
        "neither a decision nor a prompt: expected `signals` and `reason`, or `prompt`, `text`, `messages`"
    )
