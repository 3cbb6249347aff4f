"""Answers that are not the JSON that was demanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from extproc_router.verifier import schemas

if TYPE_CHECKING:
    from extproc_router.attempts import Heard, Verification

OBJECT = "{}"
"""The demand for any JSON object."""
_BLANKS = " \t\r\n"  # JSON's own (RFC 8259, section 2)
_STARTS = frozenset('{["-0123456789tfn')


def broken_promise(heard: Heard, asked: Verification, early: bool) -> bool:  # noqa: FBT001 - every sign is called alike
    """Whether the answer is not the JSON that was demanded; of its beginning, whether it cannot become it."""
    if not asked.json_schema or heard.calls or heard.refusal:
        return False
    anything = asked.json_schema == OBJECT
    if early:
        first = heard.text.lstrip(_BLANKS)[:1]
        return bool(first) and (first != "{" if anything else first not in _STARTS)
    try:
        value = msgspec.json.decode(heard.text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return True
    if anything:
        return not isinstance(value, dict)
    return not schemas.fits(value, asked.json_schema, len(heard.text))
