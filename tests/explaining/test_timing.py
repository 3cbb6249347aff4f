from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.errors import EncoderFailed
from extproc_router.explaining.timing import Ledger, Timed, timed_encoder
from extproc_router.signals.base import NO_ANSWERS, Subject
from extproc_router.types import Request, Turn

if TYPE_CHECKING:
    from extproc_router.router import Router


def ledger() -> Ledger:
    """Every look at its clock is a second."""
    seconds = count()
    return Ledger(lambda: float(next(seconds)))


def subject(text: str) -> Subject:
    return Subject({}, Request("chat_completions", "auto", (0, 0), (Turn("user", text),), False, frozenset(), False))


def test_a_timed_reader_reads_alike_and_is_timed(router: Router) -> None:
    book, reader = ledger(), router.terms.readers["length"]
    timed = Timed(reader, book)
    assert timed.read(subject("hello"), NO_ANSWERS) == reader.read(subject("hello"), NO_ANSWERS)
    assert timed.asks(subject("hello")) == ()
    assert book.signals == {"length": 2000.0}
    assert (timed.name, timed.cost, timed.known, timed.numeric, timed.floor) == (
        reader.name,
        reader.cost,
        reader.known,
        reader.numeric,
        reader.floor,
    )


def test_what_it_raises_is_raised_and_timed(router: Router) -> None:
    book = ledger()
    with pytest.raises(KeyError):
        Timed(router.terms.readers["domain"], book).read(subject("hello"), NO_ANSWERS)
    assert book.signals == {"domain": 1000.0}


def test_the_encoder_is_timed_text_by_text(scripted_encoder: Any) -> None:
    book = ledger()
    encoder = timed_encoder(scripted_encoder, book)
    assert set(encoder.encode("a math text", {"domain"}).heads) == {"domain"}
    with pytest.raises(EncoderFailed):
        encoder.encode("broken")
    assert [(entry.encoding is None, entry.ms) for entry in book.passes] == [(False, 1000.0), (True, 1000.0)]
