"""How much of a model's window the conversation takes, in tokens.

An estimate (`tokens` says how good): models count by vocabularies of their own. Near a model's window the filters count
exactly, where the config names that model's tokenizer. Images, audio and files are not in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import tokens
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, count

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources, Subject

# ChatML, for one, puts `<|im_start|>role\n` before a turn and `<|im_end|>\n` after it.
_PER_TURN = 4
# The schemas of tools are JSON, which has some four bytes a token.
_BYTES_PER_TOKEN = 4


class Options(Section):
    """The whole conversation, counted."""

    kind: Annotated[
        Literal["context"],
        Field(description="estimated tokens of all turns and declared tools, without images and files"),
    ]


def build(name: str, _options: Options, _: Resources) -> Reader:
    """Build the signal: a number, 0 where there are no turns."""
    return Plain(name, Cost.TEXT, lambda subject: count(name, size(subject)), known=frozenset(), numeric=True)


def size(subject: Subject) -> int:
    """Estimate the tokens of all turns, what stands between them and the declarations of tools included."""
    return tokens.estimate(subject.said) + overhead(subject)


def overhead(subject: Subject) -> int:
    """Estimate the tokens of what is no text: the marks between turns, and the declarations of tools."""
    request = subject.request
    return _PER_TURN * len(request.turns) + request.tools_bytes // _BYTES_PER_TOKEN
