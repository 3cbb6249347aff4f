"""Envoy's regular expressions are RE2's, and judged by RE2 itself.

Its syntax is not Python's, and its time is linear: an expression in a file cannot make a check hang.
"""

from __future__ import annotations

from typing import Any

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

_options = re2.Options()
_options.log_errors = False


class BadPattern(ValueError):
    """RE2, and so Envoy, refuses the expression."""


def compiled(regex: object) -> Any:  # noqa: ANN401 - re2 has no types
    """Compile an expression; `fullmatch` is what Envoy asks of it.

    Raises:
        BadPattern: with RE2's reason.
    """
    if not isinstance(regex, str):
        raise BadPattern("it is no string")
    try:
        return re2.compile(regex, options=_options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0]
        raise BadPattern(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error
