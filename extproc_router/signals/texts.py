"""Which text of a request a signal reads, and that text as libraries outside Python take it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import Field

if TYPE_CHECKING:
    from extproc_router.signals.base import Subject

Of: TypeAlias = Annotated[
    Literal["prompt", "incoming", "everything"],
    Field(
        description="which text is read: `prompt` is the user's last turn, with the one before where it is short; "
        "`incoming` every turn that neither the operator nor the model wrote; `everything` all turns"
    ),
]


# Category Cf of Unicode 17, and what else it calls ignorable by default: variation selectors, fillers, joiners.
UNSEEN: Final = (
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Signs that are not shown, or that only say how others are: the inside of a class of a regular expression."""

_UNSEEN = re.compile(f"[{UNSEEN}]+")


def text_of(subject: Subject, of: Of) -> str:
    """Return the text that an `of` names; empty where the request has none."""
    if of == "prompt":
        return subject.prompt
    return subject.incoming if of == "incoming" else subject.everything


def utf8(text: str) -> bytes:
    """Encode a text; half of a surrogate pair, which UTF-8 has no bytes for, becomes `?`."""
    return text.encode(errors="replace")


def spellings(text: str) -> tuple[str, ...]:
    """Return what a text may be read as: without the signs that are not shown, and with blanks for them.

    Somebody who hides a word puts them into it, or in place of the blanks around it.

    Returns:
        The text alone where it has none.
    """
    if text.isascii() or not _UNSEEN.search(text):
        return (text,)
    return _UNSEEN.sub("", text), _UNSEEN.sub(" ", text)
