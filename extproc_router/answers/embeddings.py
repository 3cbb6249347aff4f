"""Answers of the embeddings API: of them only the usage is heard, and they are never streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.answers.api import Api, Event
from extproc_router.answers.usage import told
from extproc_router.json_views import ABSENT, is_array

if TYPE_CHECKING:
    from extproc_router.answers.gathered import Gathered


class _Document(Struct, gc=False):
    data: Raw = ABSENT
    usage: Raw = ABSENT


_DOCUMENT = msgspec.json.Decoder(_Document)


def _whole(document: bytes, gathered: Gathered) -> tuple[Raw, ...]:
    read = _DOCUMENT.decode(document)
    gathered.usage = told(read.usage)
    gathered.broken = not is_array(read.data)
    return ()


def _event(_document: bytes, gathered: Gathered) -> Event:
    gathered.broken = True
    return Event()


EMBEDDINGS: Final = Api(_whole, _event, stripped=b"null")
