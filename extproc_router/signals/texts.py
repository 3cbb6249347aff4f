"""Which text of a request a signal reads, and that text as libraries outside Python take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

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


def text_of(subject: Subject, of: Of) -> str:
    """Return the text that an `of` names; empty where the request has none."""
    if of == "prompt":
        return subject.prompt
    return subject.incoming if of == "incoming" else subject.everything


def utf8(text: str) -> bytes:
    """Encode a text; half of a surrogate pair, which UTF-8 has no bytes for, becomes `?`."""
    return text.encode(errors="replace")
