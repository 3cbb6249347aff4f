"""A chain of models as Envoy walks it, what its verifier must know, and what was heard of an answer."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

Splice: TypeAlias = tuple[int, int, str]
"""Bytes [start, end) of a body become this text."""


class Attempt(Struct, frozen=True):
    """One attempt of a chain.

    Attributes:
        cluster: the Envoy cluster that gets it.
        model: name of the model, as clients know it.
        splices: what makes the body for this model of the body as it was sent: ascending, not overlapping; offsets
            count bytes of the body as it was sent.
    """

    cluster: str
    model: str
    splices: tuple[Splice, ...] = ()


class Verification(Struct, frozen=True, omit_defaults=True):
    """What the verifier must know of a request to judge its first answer; travels as Envoy's dynamic metadata.

    Attributes:
        decision_id: of the decision.
        rule: name of the rule whose cascade it is.
        api: name of the dialect.
        stream: whether the client asked for server-sent events.
        accept_at: probability in [0, 1] that the answer is good from which it is served.
        first_tokens: how much of a stream is judged before the client sees any of it.
        models: names of the models, one for each attempt.
        costs: USD per million (prompt, completion) tokens, one for each attempt.
        difficulty: what the prompt's signal says, in [0, 1]; None where it is not known.
        strips_logprobs: whether log-probabilities were asked for here, and not by the client.
        strips_usage: likewise, the usage at the end of a stream.
        tools: whether tools were declared.
        bounded: whether the client bounded the answer's length itself.
        json_schema: the JSON Schema that the answer was demanded in, as JSON text; `{}` where any JSON object was;
            empty where none was.
    """

    decision_id: str
    rule: str
    api: str
    stream: bool
    accept_at: float
    first_tokens: int
    models: tuple[str, ...]
    costs: tuple[tuple[float, float], ...]
    difficulty: float | None = None
    strips_logprobs: bool = False
    strips_usage: bool = False
    tools: bool = False
    bounded: bool = False
    json_schema: str = ""


class Chain(Struct, frozen=True):
    """What Envoy is to walk, where one model fails or its answer is doubted.

    Attributes:
        attempts: in order; at least one.
        stream_seconds: silence after which a stream's next attempt is made.
        answer_seconds: the same for answers that come whole.
        verification: what the first answer is judged by; None where none is.
        on_context_length: whether a 400 that says that the prompt is too long for the model means the next attempt.
    """

    attempts: tuple[Attempt, ...]
    stream_seconds: float
    answer_seconds: float
    verification: Verification | None = None
    on_context_length: bool = False


class Usage(Struct, frozen=True):
    """Tokens that one attempt took; `counted` where they are the server's own count, else estimated."""

    prompt: int
    completion: int
    counted: bool = True


class Called(Struct, frozen=True):
    """A tool call in an answer: the tool's name, and its arguments as text."""

    name: str
    arguments: str


class Heard(Struct, frozen=True):
    """What a model has answered, as far as it was heard.

    Attributes:
        text: of the first choice; reasoning is not in it.
        refusal: what the API marks as a refusal; empty where there is none.
        finish: why it ended: `stop`, `length`, `tool_calls`, `content_filter`, `refusal`; empty where it has not, or
            does not say.
        calls: tool calls of the first choice.
        tokens: log-probabilities (natural logarithm, <= 0) of the answer's tokens in order; empty where the server
            gave none.
        pieces: deltas that were heard, of a stream; a stand-in for tokens.
        usage: None where the server has not told it.
        broken: whether it is no answer of this API at all: unreadable, or an error in an answer's place.
        complete: whether its end was heard.
    """

    text: str = ""
    refusal: str = ""
    finish: str = ""
    calls: tuple[Called, ...] = ()
    tokens: tuple[float, ...] = ()
    pieces: int = 0
    usage: Usage | None = None
    broken: bool = False
    complete: bool = True


class Verdict(Struct, frozen=True):
    """What was found of a first answer.

    Attributes:
        good: estimated probability in [0, 1] that the answer is acceptable.
        accepted: whether it is served.
        signs: what spoke against it, in a word each, e.g. `refusal`; low cardinality.
        features: name -> number, what `good` was computed from.
    """

    good: float
    accepted: bool
    signs: tuple[str, ...] = ()
    features: dict[str, float] = {}
