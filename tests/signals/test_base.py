from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import EncoderTimeout
from extproc_router.signals.base import Answers, Cost
from extproc_router.types import Encoding

if TYPE_CHECKING:
    from tests.signals.conftest import MakeSubject


def test_cheap_signals_sort_first() -> None:
    assert sorted(Cost, reverse=True) == [Cost.MODEL, Cost.ENCODER, Cost.TEXT, Cost.FACT]


def test_everything_is_every_turn_with_text(subject: MakeSubject) -> None:
    assert subject(("system", "rules"), "one", ("assistant", ""), "two").everything == "rules\none\ntwo"


def test_an_encoding_is_given_or_why_it_was_not() -> None:
    encoding = Encoding({}, {}, tokens=1, windowed=False)
    answers = Answers({"read": encoding, "late": EncoderTimeout("late")})
    assert answers.encoding("read") is encoding
    with pytest.raises(EncoderTimeout):
        answers.encoding("late")
    with pytest.raises(KeyError):
        answers.encoding("never asked for")
