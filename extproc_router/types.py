"""The nouns that travel between rooms, one type per arrow.

HttpRequest -> Request -> Encoding -> Signal -> Decision -> Mutation | Reply

All are frozen `msgspec.Struct`s: as immutable as a frozen dataclass, a fifth of its construction time, which counts
on a path walked by every request (docs/decisions/0002-dependencies.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class HttpRequest(Struct, frozen=True):
    """One HTTP request as Envoy showed it.

    Attributes:
        method: upper case, e.g. `POST`.
        path: with query, as in `:path`.
        headers: lower-case names; repeated headers are joined with `, `. Pseudo-headers are not in here.
        body: the bytes as sent, or None where no body was or will be seen.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


class Turn(Struct, frozen=True):
    """One message of a conversation.

    Attributes:
        role: as the client wrote it; `tool` for tool results, `system` for instructions and `assistant` for the
            model's own items where an API has no roles for them.
        text: the text parts, joined by newlines.
    """

    role: str
    text: str


class Modality(StrEnum):
    """What a request carries beside text."""

    IMAGE = "image"
    AUDIO = "audio"
    FILE = "file"


class Request(Struct, frozen=True):
    """A client API request, read.

    Attributes:
        api: name of the dialect, e.g. `chat_completions`.
        model: what the client asked for; empty where the member is absent or null.
        model_span: byte offsets [start, end) of the JSON value of `model` in the body; where the member is absent,
            start == end is the offset at which a member may be inserted.
        turns: oldest first; system prompts, tool calls and tool results included.
        stream: whether the client asked for server-sent events.
        modalities: what it carries beside text.
        tools: whether tools are declared.
    """

    api: str
    model: str
    model_span: tuple[int, int]
    turns: tuple[Turn, ...]
    stream: bool
    modalities: frozenset[Modality]
    tools: bool


class Classification(Struct, frozen=True):
    """One head's answer: the winning label, its calibrated probability in [0, 1], and all of them (they sum to 1)."""

    label: str
    confidence: float
    probs: Mapping[str, float]


class Flag(Struct, frozen=True):
    """A yes-or-no head's answer: the calibrated probability of yes in [0, 1], and whether it reaches the threshold."""

    p: float
    raised: bool


class Pair(Struct, frozen=True):
    """What a head says of a strong and a weak model on one prompt, in [0, 1].

    Attributes:
        strong: probability that the strong model answers rightly.
        weak: probability that the weak model does.
        score: the strong model's win rate, ties counted half.
    """

    strong: float
    weak: float
    score: float


class Span(Struct, frozen=True):
    """Characters [start, end) of a text that are of a type; `score` is the probability of the type, in [0, 1]."""

    start: int
    end: int
    type: str
    score: float


HeadAnswer: TypeAlias = Classification | Flag | Pair | tuple[Span, ...]


class Encoding(Struct, frozen=True):
    """What the encoder read in one text.

    Attributes:
        heads: head name -> its answer, for the heads that were asked.
        tiers: head name -> the tier that answered it: 0 is the word vectors alone, i the encoder's i-th stage.
        tokens: how many tokens the encoder saw, after windowing.
        windowed: whether the text was longer than that.
        abstained: whether there was nothing to read; the answers then say that nothing is known.
        embedding: of the text, length 1; None where it was not asked for, or there was nothing to read.
    """

    heads: Mapping[str, HeadAnswer]
    tiers: Mapping[str, int]
    tokens: int
    windowed: bool
    abstained: bool = False
    embedding: tuple[float, ...] | None = None


class Signal(Struct, frozen=True):
    """What one signal says of a request: a label and a calibrated confidence in [0, 1]."""

    name: str
    label: str
    confidence: float


class Candidate(Struct, frozen=True):
    """A model that may be chosen.

    Attributes:
        name: what clients ask for and see in /v1/models.
        cluster: the Envoy cluster that serves it.
        served_name: what that cluster calls it.
        cost_input: USD per million prompt tokens.
        cost_output: USD per million completion tokens.
        clearance: rank of the highest privacy tier that it may see; 0 is the lowest tier.
    """

    name: str
    cluster: str
    served_name: str
    cost_input: float
    cost_output: float
    clearance: int


class Reason(StrEnum):
    """Why a decision came out as it did. Low cardinality: it is a metric label."""

    NAMED = "named"  # the client named a model
    DOMAIN = "domain"  # the domain rule chose
    NO_RULE = "no_rule"  # the domain is sure, but no rule maps it: default
    LOW_CONFIDENCE = "low_confidence"  # below the floor: default
    NO_TEXT = "no_text"  # nothing to read: default
    PRIVACY = "privacy"  # the rule's model is not cleared for the request's tier: another that is
    SHED = "shed"  # the encoder was overloaded, late or failed: default
    LISTED = "listed"  # the router answered GET /v1/models
    REFUSED = "refused"  # the router answered with an error
    PASSED = "passed"  # not a path we route, or a body we do not read: Envoy's default route


class Decision(Struct, frozen=True):
    """What was decided and why; field for field the message `extproc_router.v1.Decision`, less its timing."""

    id: str
    request_id: str
    config_version: str
    encoder_version: str
    api: str
    requested_model: str
    model: str
    cluster: str
    reason: Reason
    why: str
    privacy_tier: str
    stream: bool
    signals: tuple[Signal, ...]
    status: int


class Record(Struct, frozen=True):
    """A decision as telemetry receives it: with what only the server can know.

    Attributes:
        decision: what was decided.
        unix_time: seconds since the epoch at which the answer was given.
        total_seconds: from the complete request to the answer.
        encoder_seconds: waiting and running; None where the encoder was not asked.
        shed: cause of a shed, e.g. `timeout`; empty where there was none.
        traceparent: the W3C trace context that came with the request; empty where none did.
    """

    decision: Decision
    unix_time: float
    total_seconds: float
    encoder_seconds: float | None
    shed: str
    traceparent: str


class Mutation(Struct, frozen=True):
    """What Envoy shall change in the request before it routes it.

    Attributes:
        set_headers: (name, value), overwriting.
        remove_headers: names.
        body: the new body, or None where every byte stays.
    """

    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None


class Reply(Struct, frozen=True):
    """An HTTP response that the router gives itself; upstream is not called."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Answer(Struct, frozen=True):
    """A decision and what it does to the request."""

    decision: Decision
    action: Mutation | Reply


class Mistake(Struct, frozen=True):
    """One mistake in a config file: `file:line: field: message`."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.message}"
