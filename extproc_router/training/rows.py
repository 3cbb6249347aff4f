"""One training text with every label that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from extproc_router.training.data import Split
from extproc_router.training.prompts.loader import DOMAINS

DOMAIN: Final = "domain"
REASONING: Final = "reasoning"
JAILBREAK: Final = "jailbreak"
DIFFICULTY: Final = "difficulty"
PII: Final = "pii"
TOPIC: Final = "topic"  # an auxiliary task: subjects of exams and topics of trivia; no head is shipped for it

LABELS: Final = DOMAINS

SPAN_TYPES: Final = (
    "ADDRESS",
    "AGE",
    "CREDIT_CARD",
    "DATE_TIME",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "LOCATION",
    "NATIONAL_ID",
    "NRP",
    "ORGANIZATION",
    "PASSPORT",
    "PERSON",
    "PHONE_NUMBER",
    "TITLE",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
)
TAGS: Final = ("O", *(f"{side}-{kind}" for kind in SPAN_TYPES for side in "BI"))


class Span(Struct, frozen=True):
    """Personal data: text[start:end] is a `type`, one of `SPAN_TYPES`."""

    start: int
    end: int
    type: str


class Row(Struct, frozen=True, kw_only=True):
    """A text, what is known of it and how much it counts. What is None is unknown and teaches nothing.

    Attributes:
        text: as a client would send it.
        source: where it comes from; figures are given for each.
        split: what it is for.
        often: how many times it is shown in an epoch, on average.
        domain: one of `LABELS`.
        topic: a label of the auxiliary task.
        reasoning: whether step-by-step thinking pays, in [0, 1].
        jailbreak: whether it is an attack, in [0, 1].
        outcomes: model -> score in [0, 1], as far as they were tried.
        spans: personal data, in the order of the text and apart from each other; empty where there is none.
        group: rows of one group resemble one another; empty where the text stands for itself.
        noisy: whether it may be shown with typos, in lower case, in a chat's wrapping.
    """

    text: str
    source: str
    split: Split
    often: float = 1.0
    domain: str | None = None
    topic: str | None = None
    reasoning: float | None = None
    jailbreak: float | None = None
    outcomes: Mapping[str, float] | None = None
    spans: tuple[Span, ...] | None = None
    group: str = ""
    noisy: bool = True
