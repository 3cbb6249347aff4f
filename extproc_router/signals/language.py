"""Which language the prompt is in, by Compact Language Detector 2: some 45 us for 2 KB, 7 MB of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pycld2  # type: ignore[import-untyped]  # ships no types
from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain
from extproc_router.signals.texts import Of, text_of
from extproc_router.types import Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources, Subject

# Characters at either end: a prompt begins or ends with what the user says; a quoted document may be in any language.
_READ = 1000
_LEAST_BYTES = 24  # of letters; below, one answer in ten is wrong
_LEAST_PERCENT = 50  # of the text; below, no language is that of the text
# Bytes of letters below which so many reliable answers are right. Measured on UI strings in 29 languages and English
# prompts, 15,000 texts in all.
_SURE = ((36, 0.95), (48, 0.98))
_SURER = 0.99
# CLD2 knows these by codes that ISO has withdrawn.
_RENAMED = {"iw": "he", "jw": "jv", "mo": "ro"}


class Options(Section):
    """The language of the text."""

    kind: Annotated[
        Literal["language"],
        Field(
            description="ISO 639-1 code of the language, e.g. `de`; three letters where that has none. No label where "
            "the text is too short or mixed to tell"
        ),
    ]
    of: Of = "prompt"


def _code(code: str) -> str:
    bare = code.partition("-")[0]  # scripts and countries: zh-Hant
    return _RENAMED.get(bare, bare)


_detected = frozenset(_code(code) for name, code in pycld2.LANGUAGES if name in pycld2.DETECTED_LANGUAGES)
KNOWN = _detected - {"xx", "zzp"}  # a script alone; Pig Latin
"""What may be detected."""


def build(name: str, options: Options, _: Resources) -> Reader:
    """Build the signal: one label, or none."""
    unsure = Signal(name, "unknown", 0.0)

    def look(subject: Subject) -> Signal:
        code, confidence = detect(text_of(subject, options.of))
        return Signal(name, code, confidence, frozenset({code})) if code else unsure

    return Plain(name, Cost.TEXT, look, known=KNOWN)


def detect(text: str) -> tuple[str, float]:
    """Return the language's code and the probability that it is right; nothing and 0 where that cannot be told."""
    if len(text) > 2 * _READ:
        text = f"{text[:_READ]}\n{text[-_READ:]}"
    try:
        reliable, letters, details = pycld2.detect(text)
    except (pycld2.error, UnicodeEncodeError):  # it takes no control characters, noncharacters or half pairs
        reliable, letters, details = pycld2.detect(_printable(text))
    _, code, percent, _ = details[0]
    code = _code(code)
    if not reliable or code not in KNOWN or letters < _LEAST_BYTES or percent < _LEAST_PERCENT:
        return "", 0.0
    return code, next((sure for below, sure in _SURE if letters < below), _SURER)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
