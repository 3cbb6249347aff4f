"""How right a head is that finds spans: rows in, F1 out.

A line is `{"spans": [{"start", "end", "type"}], ...}` with the found spans under the head's name, as `extproc-router
score` writes them, also under `heads`; or with `text` (or `prompt`) alone, which the encoder reads. `source` names a
slice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from extproc_router.bulk.jsonl import Faults, read_lines
from extproc_router.bulk.progress import Progress
from extproc_router.errors import EncoderFailed, StartupError
from extproc_router.evaluation import resample
from extproc_router.evaluation.heads import Figure
from extproc_router.learning import spans

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from extproc_router.evaluation.arrays import Floats
    from extproc_router.learning.spans import Key

    Reader = Callable[[str], Collection[Key]]


class SpanRow(Struct, frozen=True):
    """One text: the spans that are there and those that were found."""

    truth: tuple[tuple[int, int, str], ...]
    found: tuple[tuple[int, int, str], ...]
    source: str


class SpanSlice(Struct, frozen=True):
    """A part of the rows, or of the types; None where a share divides by nothing.

    Attributes:
        spans: that are there.
        found: that were found.
    """

    spans: int
    found: int
    precision: float | None
    recall: float | None
    f1: float | None


class SpanFindings(Struct, frozen=True):
    """The evaluation of a head that finds spans; start, end and type must all be right.

    Attributes:
        n: rows.
        spans: that are there.
        found: that were found.
        blind_f1: F1 of start and end alone.
        clean: rows without a span.
        alarms: share of those in which something was found; None where there is none.
        types: by type.
        sources: by source.
    """

    n: int
    spans: int
    found: int
    precision: Figure
    recall: Figure
    f1: Figure
    blind_f1: Figure
    clean: int
    alarms: float | None
    types: Mapping[str, SpanSlice]
    sources: Mapping[str, SpanSlice]
    rounds: int
    rounds_asked: int
    seed: int


def read(path: Path, head: str, *, encode: Reader | None = None, strict: bool = False) -> tuple[list[SpanRow], Faults]:
    """Read rows.

    Args:
        path: JSON Lines, plain or gzipped.
        head: under whose name found spans stand.
        encode: reads a text; asked for rows without found spans.
        strict: whether a bad row is an error.

    Raises:
        StartupError: the file cannot be read, a row is bad in strict mode, or no row is left.
    """
    faults = Faults(str(path), strict=strict)
    rows: list[SpanRow] = []
    decoder = msgspec.json.Decoder(dict[str, Any])
    with Progress("reading", None) as progress:
        for number, line in progress.over(read_lines(path)):
            try:
                rows.append(_row(decoder.decode(line), head, encode))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, EncoderFailed) as error:
                faults.add(number, str(error))
    if not rows:
        raise StartupError(f"{path}: no usable row\n{faults}".rstrip())
    return rows, faults


def evaluate(rows: Sequence[SpanRow], *, bootstrap: int = 1000, seed: int = 0) -> SpanFindings:
    """Measure.

    Args:
        rows: at least one.
        bootstrap: rounds, which draw rows.
        seed: of the rounds.
    """
    counts = np.array(
        [
            [*spans.tally(row.truth, row.found), *spans.tally(spans.blind(row.truth), spans.blind(row.found))]
            for row in rows
        ],
        dtype=np.float64,
    )
    units = resample.units(len(rows), seed)
    sums = np.stack([units.totals(column) for column in counts.T], axis=1)
    exact = _figures(sums.sum(axis=0)[None])[:, 0]
    drawn = [_figures(weights @ sums) for weights in resample.rounds(units, bootstrap, seed)]
    rounds = np.concatenate(drawn, axis=1) if drawn else np.empty((len(exact), 0))
    precision, recall, f1, blind_f1 = (
        Figure(_known(value), resample.interval(values)) for value, values in zip(exact, rounds, strict=True)
    )
    clean = [row for row in rows if not row.truth]
    total = counts.sum(axis=0)
    sources = dict.fromkeys(row.source for row in rows if row.source)
    return SpanFindings(
        n=len(rows),
        spans=int(total[spans.TRUE]),
        found=int(total[spans.FOUND]),
        precision=precision,
        recall=recall,
        f1=f1,
        blind_f1=blind_f1,
        clean=len(clean),
        alarms=sum(bool(row.found) for row in clean) / len(clean) if clean else None,
        types={kind: _slice(rows, kind) for kind in spans.kinds([*(r.truth for r in rows), *(r.found for r in rows)])},
        sources={name: _slice([row for row in rows if row.source == name]) for name in sources},
        rounds=rounds.shape[1],
        rounds_asked=bootstrap,
        seed=seed,
    )


def _figures(sums: Floats) -> Floats:
    """Precision, recall, F1 and blind F1, float64 [4, rounds], of sums [rounds, 6]."""
    return np.stack([*spans.scores(sums[:, :3]), spans.scores(sums[:, 3:])[2]])


def _slice(rows: Sequence[SpanRow], kind: str | None = None) -> SpanSlice:
    counts = np.array([spans.tally(row.truth, row.found, kind) for row in rows], dtype=np.float64).sum(axis=0)
    precision, recall, f1 = (_known(float(value)) for value in spans.scores(counts))
    return SpanSlice(int(counts[spans.TRUE]), int(counts[spans.FOUND]), precision, recall, f1)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _row(row: dict[str, Any], head: str, encode: Reader | None) -> SpanRow:
    if "spans" not in row:
        raise ValueError("no `spans`: the true ones, [] where there are none")
    truth, source = _keys(row["spans"], "spans"), str(row.get("source", ""))
    heads = row.get("heads")
    found = (heads if isinstance(heads, dict) else row).get(head)
    if found is not None:
        return SpanRow(truth, _keys(found, head), source)
    text = row.get("text", row.get("prompt"))
    if encode is None or not isinstance(text, str):
        raise ValueError(f"no answer of the head {head!r}: expected `{head}`, `heads` or `text`")
    return SpanRow(truth, tuple(encode(text)), source)


def _keys(value: object, name: str) -> tuple[Key, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{name!r} is not a list")  # noqa: TRY004 - one kind of error for a bad row
    return tuple(_key(span, name) for span in value)


def _key(span: object, name: str) -> Key:
    if not isinstance(span, dict):
        raise ValueError(f"a span of {name!r} is not an object")  # noqa: TRY004 - likewise
    start, end, kind = _offset(span.get("start")), _offset(span.get("end")), span.get("type")
    if not (isinstance(kind, str) and 0 <= start < end):
        raise ValueError(f"a span of {name!r} needs 0 <= start < end and a type")
    return start, end, kind


def _offset(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
