"""A file of cases -> cases; mistakes as those of a config: all at once, each with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from pydantic import ValidationError

from extproc_router import wiring
from extproc_router.cases import schema
from extproc_router.config import document as yaml_document
from extproc_router.config import shape
from extproc_router.config.document import Document
from extproc_router.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.types import Mistake


class Table(Struct, frozen=True):
    """The cases of a file, and where each value of it stood."""

    cases: tuple[schema.Case, ...]
    document: Document

    def line(self, index: int) -> int:
        """Return the 1-based line of a case."""
        return self.document.lines[("cases", str(index))]


def load_cases(path: Path) -> tuple[schema.Case, ...]:
    """Read a file of cases.

    Raises:
        StartupError: it cannot be read.
        ConfigError: with every mistake in it.
    """
    return load(path).cases


def load(path: Path) -> Table:
    """Read a file of cases, and keep the lines; arguments and errors as above."""
    document = yaml_document.parse(wiring.read_file(path), str(path))
    mistakes = [*document.mistakes]
    cases: tuple[schema.Case, ...] = ()
    try:
        cases = tuple(schema.File.model_validate(document.data).cases)
    except ValidationError as error:
        mistakes += shape.mistakes(document, error, schema.File)
    mistakes += _same_names(document, cases)
    if mistakes:
        raise ConfigError(yaml_document.in_file_order(mistakes))
    return Table(cases, document)


def _same_names(document: Document, cases: tuple[schema.Case, ...]) -> list[Mistake]:
    first: dict[str, int] = {}
    mistakes = []
    for index, case in enumerate(cases):
        path = ("cases", index, "name")
        if case.name in first:
            mistakes.append(document.mistake(path, f"duplicate case {case.name!r}; first on line {first[case.name]}"))
        first.setdefault(case.name, document.lines[("cases", str(index))])
    return mistakes
