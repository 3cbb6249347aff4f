"""The nouns that travel between rooms, one type per arrow.

HttpRequest -> Request -> Ask -> Encoding -> Signal -> Decision -> Mutation | Reply

All are frozen `msgspec.Struct`s: as immutable as a frozen dataclass, a fifth of its construction time, which counts
on a path walked by every request (docs/decisions/0002-dependencies.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from extproc_router.attempts import Chain


class HttpRequest(Struct, frozen=True):
    """One HTTP request as Envoy showed it.

    Attributes:
        method: upper case, e.g. `POST`.
        path: with query, as in `:path`.
        headers: lower-case names; repeated headers are joined with `, `. Pseudo-headers are not in here.
        body: the bytes as sent, or None where no body was or will be seen.
        more: whether a body comes with it that is not in here.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    more: bool = False


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
        called: whether a turn holds a tool call.
        max_tokens: bound on the completion as the client wrote it, under whichever name; None where it is no whole
            number above 0.
        service_tier: as the client wrote it; empty where absent.
        unread: what of the prompt is no text, though it stands for some, e.g. `token ids`; empty where all was read.
        tools_bytes: length of the declarations of tools, as JSON.
        declared: the JSON values, a line each, that models read though nobody says them in a turn: declarations of
            tools, schemas of the answer, documents, names of speakers. `json_text.strings` gives their text.
    """

    api: str
    model: str
    model_span: tuple[int, int]
    turns: tuple[Turn, ...]
    stream: bool
    modalities: frozenset[Modality]
    tools: bool
    called: bool = False
    max_tokens: int | None = None
    service_tier: str = ""
    tools_bytes: int = 0
    unread: str = ""
    declared: bytes = b""


class Ask(Struct, frozen=True):
    """A text that the encoder shall read: the heads to ask, and whether its embedding is wanted."""

    text: str
    heads: frozenset[str] = frozenset()
    embedding: bool = False


class Question(Struct, frozen=True):
    """What a signal wants to ask a language model: a chat completions body, to be answered within a deadline."""

    signal: str
    body: bytes


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


class Replacement(Struct, frozen=True):
    """Characters [start, end) of a text shall read `text`; of one text they are given in order and do not overlap."""

    start: int
    end: int
    text: str


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
    """What one signal says of a request.

    Attributes:
        name: as rules write it.
        label: what it says, in a word, for people and logs; never a value that only the client knows.
        confidence: calibrated probability of that, in [0, 1]; 1 for facts.
        labels: what rules match; a flag that is raised has the one label `yes`, one that is not has none.
        number: what comparisons read; None where the signal is no number.
        absent: why it could not be read; empty where it was. Then nothing else counts.
    """

    name: str
    label: str
    confidence: float
    labels: frozenset[str] = frozenset()
    number: float | None = None
    absent: str = ""


class Evidence(Struct, frozen=True, omit_defaults=True):
    """A signal as decisions keep it: its labels only where the config or the artefact lists them."""

    name: str
    label: str
    confidence: float
    labels: tuple[str, ...] = ()
    number: float | None = None
    absent: str = ""


class Reason(StrEnum):
    """Why a decision came out as it did. Low cardinality: it is a metric label."""

    NAMED = "named"  # the client named a model
    RULE = "rule"  # a rule matched
    DOMAIN = "domain"  # the table of domains chose
    NO_RULE = "no_rule"  # no rule matched: default
    LOW_CONFIDENCE = "low_confidence"  # no rule matched, and one might have with a surer signal: default
    NO_TEXT = "no_text"  # nothing to read: default
    PRIVACY = "privacy"  # what was wanted is not cleared for the request's tier: another that is
    CAPABILITY = (
        "capability"  # what was wanted cannot serve this request (window, images, tools, API): another that can
    )
    SHED = "shed"  # a signal that was needed is absent (overload, deadline, failure): default
    BLOCKED = "blocked"  # a safety rule blocked it
    DECLINED = "declined"  # a safety rule answered with a completion that declines
    UNCHECKED = "unchecked"  # a safety rule could not be decided: not sent
    LISTED = "listed"  # the router answered GET /v1/models
    REFUSED = "refused"  # the router answered with an error
    PASSED = "passed"  # not a path we route, or a body we do not read: Envoy's default route


class Decision(Struct, frozen=True):
    """What was decided and why; field for field the message `extproc_router.v1.Decision`, less its timing.

    Attributes:
        rule: name of the rule that chose; empty where none did.
        chain: names of the models that may serve the request, in the order in which they are tried; the first is
            `model`.
        safety: names of the safety rules that applied, as `name=action`.
        shadow: what shadow rules would have done, as `name=model` or `name=action`.
        sticky: `held` or `yielded` where the conversation had a model; empty where it had none.
        changes: what was changed in the body, in words without values of the client's.
        cascade: name of the model that takes over where the first answer is doubted; empty where none is judged.
    """

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
    signals: tuple[Evidence, ...]
    status: int
    rule: str = ""
    chain: tuple[str, ...] = ()
    safety: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    sticky: str = ""
    changes: tuple[str, ...] = ()
    cascade: str = ""


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
        chain: what Envoy is to walk; None where one model alone may serve the request.
    """

    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None
    chain: Chain | None = None


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
