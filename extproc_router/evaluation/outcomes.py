"""Outcomes in columns: which model answered which prompt how well."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from extproc_router.bulk.jsonl import Faults, read_lines
from extproc_router.bulk.progress import Progress
from extproc_router.config.meaning import did_you_mean
from extproc_router.errors import StartupError
from extproc_router.evaluation import rows
from extproc_router.evaluation.arrays import Floats, Index, Ints

if TYPE_CHECKING:
    from pathlib import Path


class Outcomes(Struct, frozen=True):
    """n prompts, m models.

    Attributes:
        models: names, in order of first appearance.
        quality: float64 [n, m], larger is better; NaN where a model was not tried.
        costs: float64 [n, m], USD or any unit per request, NaN where unknown; None where no row has costs.
        lengths: int64 [n], characters of the prompt.
        keys: int64 [n], a hash of the prompt: rows with equal prompts stay on one side of every split.
        groups: int64 [n], an index into `group_names`.
        group_names: the empty name stands for rows without a group.
        texts: the prompts, or None where they were not asked for.
        columns: name -> float64 [n], NaN where a row lacks it.
    """

    models: tuple[str, ...]
    quality: Floats
    costs: Floats | None
    lengths: Ints
    keys: Ints
    groups: Ints
    group_names: tuple[str, ...]
    texts: tuple[str, ...] | None
    columns: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.quality)

    def take(self, index: Index) -> Outcomes:
        """Return the rows at `index`, in its order."""
        return Outcomes(
            models=self.models,
            quality=self.quality[index],
            costs=None if self.costs is None else self.costs[index],
            lengths=self.lengths[index],
            keys=self.keys[index],
            groups=self.groups[index],
            group_names=self.group_names,
            texts=None if self.texts is None else tuple(self.texts[row] for row in index),
            columns={name: column[index] for name, column in self.columns.items()},
        )

    def select(self, models: tuple[str, ...]) -> Outcomes:
        """Return these models' columns, and the rows on which all of them were tried.

        Raises:
            StartupError: a model does not occur, or no row has all of them.
        """
        unknown = [model for model in models if model not in self.models]
        if unknown:
            near = did_you_mean(unknown[0], self.models)
            raise StartupError(f"the data has no model {', '.join(unknown)}{near}; it has {', '.join(self.models)}")
        columns = [self.models.index(model) for model in models]
        kept = np.flatnonzero(np.isfinite(self.quality[:, columns]).all(axis=1))
        if not len(kept):
            raise StartupError(f"no row has scores of {', '.join(models)} together")
        rest = self.take(kept)
        costs = None if rest.costs is None else rest.costs[:, columns]
        return msgspec.structs.replace(rest, models=models, quality=rest.quality[:, columns], costs=costs)

    def column(self, name: str) -> Floats:
        """Return a column of scores.

        Raises:
            StartupError: no row has it, or some rows lack it.
        """
        column = self.columns.get(name)
        missing = len(self) if column is None else int(np.isnan(column).sum())
        if column is None or missing:
            raise StartupError(f"{missing:,} of {len(self):,} rows have no number under {name!r}")
        return column


class Pair(Struct, frozen=True):
    """A weak and a strong model, and the rows on which both were tried.

    Attributes:
        outcomes: those rows, all models kept, for strategies that learn from them.
        weak: float64 [n].
        strong: float64 [n].
        costs: float64 [n, 2], weak then strong; None where some are unknown.
    """

    outcomes: Outcomes
    weak_model: str
    strong_model: str
    weak: Floats
    strong: Floats
    costs: Floats | None

    def __len__(self) -> int:
        return len(self.weak)


def pair(outcomes: Outcomes, *, weak: str, strong: str) -> Pair:
    """Pick a pair of models.

    Raises:
        StartupError: a model does not occur, they are one model, or no row has both.
    """
    if weak == strong:
        raise StartupError("the weak and the strong model are the same")
    chosen = outcomes.select((weak, strong))
    index = [outcomes.models.index(model) for model in (weak, strong)]
    both = outcomes.take(np.flatnonzero(np.isfinite(outcomes.quality[:, index]).all(axis=1)))
    known = chosen.costs is not None and bool(np.isfinite(chosen.costs).all())
    return Pair(both, weak, strong, chosen.quality[:, 0], chosen.quality[:, 1], chosen.costs if known else None)


def price(outcomes: Outcomes, prices: Mapping[str, float], required: tuple[str, ...]) -> Outcomes:
    """Return the outcomes with one cost per model, the same for every row, in place of what the rows say.

    Args:
        outcomes: any.
        prices: model -> cost of a request; models without one get NaN.
        required: models that must have one.

    Raises:
        StartupError: a required model has no price.
    """
    missing = [model for model in required if model not in prices]
    if missing:
        near = did_you_mean(missing[0], prices)
        raise StartupError(
            f"no price for {', '.join(missing)}{near}; there are prices for {', '.join(prices) or 'none'}"
        )
    per_model = np.array([prices.get(model, np.nan) for model in outcomes.models], dtype=np.float64)
    return msgspec.structs.replace(outcomes, costs=np.broadcast_to(per_model, outcomes.quality.shape))


def read(
    path: Path,
    *,
    columns: tuple[str, ...] = (),
    group_field: str | None = None,
    keep_texts: bool = False,
    need_scores: bool = True,
    strict: bool = False,
) -> tuple[Outcomes, Faults]:
    """Read an outcomes file (see `rows` for its shapes).

    Args:
        path: JSON Lines, plain or gzipped.
        columns: members with precomputed scores to keep.
        group_field: which member is the group; the first known one by default.
        keep_texts: whether the prompts are kept: strategies that read them need it.
        need_scores: whether a row without scores of any model is a bad row.
        strict: whether a bad row is an error instead of being left out.

    Returns:
        The outcomes, and the rows that were left out.

    Raises:
        StartupError: the file cannot be read, a row is bad in strict mode, or no row is left.
    """
    if group_field is not None and group_field not in rows.GROUP_FIELDS:
        raise StartupError(f"{group_field!r} is no known group: one of {', '.join(rows.GROUP_FIELDS)}")
    try:
        decoder = rows.decoder(columns)
    except ValueError as error:
        raise StartupError(str(error)) from error
    faults = Faults(str(path), strict=strict)
    builder = _Builder(columns, group_field, keep_texts=keep_texts, need_scores=need_scores)
    with Progress("reading", None) as progress:
        for number, line in progress.over(read_lines(path)):
            try:
                builder.add(decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
                faults.add(number, str(error))
    if not builder.lengths:
        raise StartupError(f"{path}: no usable row\n{faults}".rstrip())
    return builder.build(), faults


class _Builder:
    """Gathers rows into growing columns; a model that turns up late has NaN before."""

    def __init__(
        self, columns: tuple[str, ...], group_field: str | None, *, keep_texts: bool, need_scores: bool
    ) -> None:
        self._need_scores = need_scores
        self.lengths = array("q")
        self._group_field = group_field
        self._keys, self._groups = array("q"), array("q")
        self._models: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._cells = (array("q"), array("q"), array("d"))
        self._costs = (array("q"), array("q"), array("d"))
        self._texts: list[str] | None = [] if keep_texts else None
        self._columns = {name: array("d") for name in columns}

    def add(self, row: rows.Row) -> None:
        scores = rows.scores_of(row) if self._need_scores or rows.has_scores(row) else {}
        costs, text = rows.costs_of(row), rows.text_of(row)
        if not scores and self._need_scores:
            raise ValueError("no model has a score")
        number = len(self.lengths)
        for model, score in scores.items():
            self._put(self._cells, number, model, score)
        for model, cost in costs.items():
            self._put(self._costs, number, model, cost)
        group = rows.group_of(row, self._group_field)
        self._groups.append(self._names.setdefault(group, len(self._names)))
        digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
        self._keys.append(int.from_bytes(digest, "little", signed=True))
        for name, column in self._columns.items():
            value = getattr(row, name)
            column.append(float("nan") if value is None else value)
        if self._texts is not None:
            self._texts.append(text)
        self.lengths.append(len(text))

    def _put(self, cells: tuple[array[int], array[int], array[float]], row: int, model: str, value: float) -> None:
        cells[0].append(row)
        cells[1].append(self._models.setdefault(model, len(self._models)))
        cells[2].append(value)

    def build(self) -> Outcomes:
        shape = (len(self.lengths), len(self._models))
        return Outcomes(
            models=tuple(self._models),
            quality=_dense(self._cells, shape),
            costs=_dense(self._costs, shape) if self._costs[0] else None,
            lengths=np.array(self.lengths, dtype=np.int64),
            keys=np.array(self._keys, dtype=np.int64),
            groups=np.array(self._groups, dtype=np.int64),
            group_names=tuple(self._names),
            texts=None if self._texts is None else tuple(self._texts),
            columns={name: np.array(column, dtype=np.float64) for name, column in self._columns.items()},
        )


def _dense(cells: tuple[array[int], array[int], array[float]], shape: tuple[int, int]) -> Floats:
    table = np.full(shape, np.nan)
    table[np.frombuffer(cells[0], dtype=np.int64), np.frombuffer(cells[1], dtype=np.int64)] = np.frombuffer(cells[2])
    return table
