from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.signals.base import NO_ANSWERS

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject


def test_streaming_is_a_flag(build: Build, subject: MakeSubject) -> None:
    assert build("stream").read(subject("hello", stream=True), NO_ANSWERS).labels == {"yes"}
    assert build("stream").read(subject("hello"), NO_ANSWERS).labels == set()
