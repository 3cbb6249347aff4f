"""Regular expressions that users write: RE2's, so that no text makes one hang."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import re2  # type: ignore[import-untyped]  # google-re2 ships no types
from pydantic import AfterValidator, StringConstraints

MAX_MEMORY = 8 << 20
"""Bytes that one compiled expression, or one set of them, may take; RE2 refuses what needs more."""

_SHOWN = 80  # characters of an expression that a mistake repeats; RE2's reason may repeat it too


def options() -> Any:  # noqa: ANN401 - re2 has no types
    """Return RE2's options for what users write."""
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = MAX_MEMORY
    return chosen


def compiled(regex: str) -> Any:  # noqa: ANN401 - re2 has no types
    """Compile an expression.

    Raises:
        ValueError: with RE2's reason.
    """
    try:
        return re2.compile(regex, options=options())
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"RE2 refuses {_short(regex)}: {_cut(said)}") from error


def _checked(regex: str) -> str:
    expression = compiled(regex)
    # One that finds nothing at all, twice over, finds it in every text.
    if expression.search("") and expression.search("\x01"):
        raise ValueError(f"{_short(regex)} matches every text")
    return regex


def _short(regex: str) -> str:
    return repr(_cut(regex))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


Pattern: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_checked)]
"""An expression that RE2 takes, and that not every text matches."""
