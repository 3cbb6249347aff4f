from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Modality, Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject


def test_what_is_there_beside_text_is_labelled(build: Build, subject: MakeSubject) -> None:
    reader = build("modality")
    both = subject("hello", modalities=frozenset({Modality.IMAGE, Modality.FILE}))
    assert reader.read(both, NO_ANSWERS) == Signal("modality", "file+image", 1.0, frozenset({"image", "file"}))
    assert reader.read(subject("hello"), NO_ANSWERS) == Signal("modality", "none", 1.0)
