from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from extproc_router.bulk.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ticking(step: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step


def test_short_work_is_silent() -> None:
    stream, clock = io.StringIO(), ticking(0.1)
    with Progress("p", 10, stream=stream, clock=lambda: next(clock)) as progress:
        assert list(progress.over(range(10))) == list(range(10))
    assert stream.getvalue() == ""


def test_long_work_tells_a_log_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), ticking(1.0)
    with Progress("p", 25, stream=stream, clock=lambda: next(clock)) as progress:
        list(progress.over(range(25)))
    assert stream.getvalue().splitlines() == [
        "p: 2 of 25 (8%), about 23 s left",
        "p: 12 of 25 (48%), about 13 s left",
        "p: 22 of 25 (88%), about 3 s left",
    ]


def test_without_a_stderr_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    clock = ticking(5.0)
    with Progress("p", 3, clock=lambda: next(clock)) as progress:
        assert list(progress.over(range(3))) == [0, 1, 2]


def test_a_terminal_gets_one_line_that_goes_away() -> None:
    stream, clock = Terminal(), ticking(1.5)
    with Progress("p", None, stream=stream, clock=lambda: next(clock)) as progress:
        list(progress.over(range(3)))
    assert stream.getvalue() == "\r\x1b[Kp: 2 in 3 s\r\x1b[Kp: 3 in 4 s\r\x1b[K"


def test_steps_may_be_told_by_how_many_are_done() -> None:
    stream, clock = io.StringIO(), ticking(1.0)
    with Progress("p", 20, stream=stream, clock=lambda: next(clock)) as progress:
        for done in (5, 10, 20):
            progress.reach(done)
    assert stream.getvalue().splitlines() == ["p: 10 of 20 (50%), about 2 s left"]
