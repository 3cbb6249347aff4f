"""Somebody's own labels: JSON Lines in, what they say out. Every mistake is told by its line."""

from __future__ import annotations

import gzip
import json
import unicodedata
import zlib
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.training.data import key
from extproc_router.training.ladder import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAST_ROWS = 20
MOST_ROWS = 200_000
_LEAST_OF_A_CLASS = 5  # one for each fold
_NO_NAME = frozenset({"Cc", "Cs"})  # controls and unpaired surrogates
_LONGEST_NAME = 200  # characters of a label, a type, a source or a model
_GZIP_MAGIC = b"\x1f\x8b"
_YES_OR_NO = {"0": False, "1": True, "false": False, "true": True}

Said = str | bool | tuple[bool, bool] | tuple[tuple[int, int, str], ...]


class Labelled(Struct, frozen=True):
    """n labelled texts.

    Attributes:
        kind: of the head that can learn them.
        texts: as written.
        said: a choice's label; a flag's answer; whether (strong, weak) are right; spans (start, end, type).
        groups: one a text; texts of one group are on one side of every split.
        sources: one a text; empty where a row has none.
        models: the (strong, weak) models of a pair, else None.
    """

    kind: Kind
    texts: tuple[str, ...]
    said: tuple[Said, ...]
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    models: tuple[str, str] | None

    def __len__(self) -> int:
        return len(self.texts)


def read(path: Path, *, kind: Kind | None = None, strong: str | None = None, weak: str | None = None) -> Labelled:
    """Read labels.

    Args:
        path: JSON Lines, plain or gzipped.
        kind: of the head; by default what the first row suggests, and yes or no where all labels are 0 and 1.
        strong: of a pair, the strong model.
        weak: of a pair, the weak one.

    Raises:
        StartupError: the file cannot be read, a row is not what the kind needs, or the rows are too few or say all the
            same; names the line where there is one.
    """
    rows = list(_rows(path))
    if len(rows) < LEAST_ROWS:
        raise StartupError(f"{path}: {len(rows)} rows, {LEAST_ROWS} is the least, some hundreds are better")
    kind = kind or _guess([row for _, row in rows])
    try:
        models = _models(kind, rows[0][1], strong, weak)
    except ValueError as error:
        raise StartupError(f"{path}: {error}") from error
    texts, said, groups, sources = [], [], [], []
    for number, row in rows:
        try:
            text = _text(row)
            said.append(_said(kind, row, models, len(text)))
            sources.append(_name("source", row.get("source") or ""))
        except ValueError as error:
            raise StartupError(f"{path}:{number}: {error}") from error
        texts.append(text)
        group = row.get("group")
        groups.append(f"group {group}" if group is not None else f"text {key(text) or text}")
    if kind in ("choice", "flag", "pair"):
        _check_classes(path, kind, said)
    elif not any(said):
        raise StartupError(f"{path}: no row has a span: nothing to learn")
    if len(set(groups)) < LEAST_ROWS // 2:
        raise StartupError(f"{path}: {len(set(groups))} groups, {LEAST_ROWS // 2} is the least: splits go by group")
    return Labelled(kind, tuple(texts), tuple(said), tuple(groups), tuple(sources), models)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as plain:
            file = gzip.GzipFile(fileobj=plain) if plain.peek(2)[:2] == _GZIP_MAGIC else plain
            for number, line in enumerate(file, start=1):
                if number > MOST_ROWS:
                    raise StartupError(f"{path}: more than {MOST_ROWS:,} rows; take a sample")
                if line.strip():
                    yield number, _object(path, number, line)
    except (OSError, EOFError, zlib.error) as error:
        raise StartupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        # Not by msgspec, which refuses unpaired surrogates: prompts cut in the middle have them.
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise StartupError(f"{path}:{number}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise StartupError(f"{path}:{number}: not an object")
    return row


def _guess(rows: list[dict[str, Any]]) -> Kind:
    first = rows[0]
    if "spans" in first:
        return "spans"
    if "strong_correct" in first or "correct" in first:
        return "pair"
    return "flag" if all(_yes_or_no(row.get("label")) is not None for row in rows) else "choice"


def _models(kind: Kind, first: dict[str, Any], strong: str | None, weak: str | None) -> tuple[str, str] | None:
    if kind != "pair":
        if strong or weak:
            raise StartupError("--strong and --weak are of a pair")
        return None
    if "correct" in first:
        if not (strong and weak):
            raise StartupError("rows with `correct`: say which two models are meant with --strong and --weak")
        return _name("strong model", strong), _name("weak model", weak)
    return (
        _name("strong model", strong or first.get("strong_model") or "strong"),
        _name("weak model", weak or first.get("weak_model") or "weak"),
    )


def _name(what: str, written: object) -> str:
    """Return a name that can be written to a head's file and shown in a table."""
    name = str(written)
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"the {what} {name[:40]!r}... is longer than {_LONGEST_NAME} characters")
    if any(unicodedata.category(character) in _NO_NAME for character in name):
        raise ValueError(f"the {what} {name!r} has a control character or half of one")
    return name


def _text(row: dict[str, Any]) -> str:
    text = row.get("text", row.get("prompt"))
    if not isinstance(text, str):
        raise ValueError(f"no `text` (nor `prompt`); it has {_members(row)}")  # noqa: TRY004 - one kind for a bad row
    return text


def _said(kind: Kind, row: dict[str, Any], models: tuple[str, str] | None, length: int) -> Said:
    if kind == "spans":
        return _spans(row, length)
    if kind == "pair":
        return _pair(row, models)
    label = row.get("label")
    if label is None or isinstance(label, dict | list | float):
        raise ValueError(f"no `label` that is a name or a whole number; it has {_members(row)}")
    if kind == "choice":
        return _name("label", label)
    answer = _yes_or_no(label)
    if answer is None:
        raise ValueError(f"the label {label!r} is neither 0 nor 1: a flag says yes or no")
    return answer


def _yes_or_no(label: object) -> bool | None:
    return _YES_OR_NO.get(str(label).lower())


def _pair(row: dict[str, Any], models: tuple[str, str] | None) -> tuple[bool, bool]:
    table = row.get("correct")
    if isinstance(table, dict) and models:
        answers = [table.get(model) for model in models]
    else:
        answers = [row.get("strong_correct"), row.get("weak_correct")]
    strong, weak = (answer in (0, 1) and isinstance(answer, bool | int | float) for answer in answers)
    if not (strong and weak):
        raise ValueError(f"no 0 or 1 for each of the two models; it has {_members(row)}")
    return bool(answers[0]), bool(answers[1])


def _spans(row: dict[str, Any], length: int) -> tuple[tuple[int, int, str], ...]:
    spans = row.get("spans")
    if not isinstance(spans, list):
        raise ValueError(f"no list `spans`, [] where there are none; it has {_members(row)}")  # noqa: TRY004 - likewise
    found = []
    for span in spans:
        start, end, kind = (
            (span.get(name) for name in ("start", "end", "type")) if isinstance(span, dict) else [None] * 3
        )
        if type(start) is not int or type(end) is not int or not (0 <= start < end <= length):
            raise ValueError(f"a span needs 0 <= start < end <= {length}, the text's length")
        if not isinstance(kind, str) or not kind:
            raise ValueError("a span has no type")
        found.append((start, end, _name("type", kind)))
    found.sort()
    if any(before[1] > after[0] for before, after in pairwise(found)):
        raise ValueError("two spans overlap")
    return tuple(found)


def _members(row: dict[str, Any]) -> str:
    return ", ".join(map(str, list(row)[:20])) or "nothing"


def _check_classes(path: Path, kind: Kind, said: list[Said]) -> None:
    counts = Counter(said)
    if len(counts) == 1:
        raise StartupError(f"{path}: every row says {_shown(said[0])}: nothing to tell apart")
    least = min(counts, key=counts.__getitem__)
    if kind == "pair" and len(counts) < 4:  # noqa: PLR2004 - both, strong, weak, neither
        raise StartupError(f"{path}: a pair needs rows where both, one, the other and neither model is right")
    if counts[least] < _LEAST_OF_A_CLASS:
        raise StartupError(
            f"{path}: {counts[least]} rows say {_shown(least)}, {_LEAST_OF_A_CLASS} is the least; add some, or leave "
            "them out"
        )


def _shown(said: Said) -> str:
    return repr(said)
