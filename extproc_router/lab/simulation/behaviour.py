"""How a simulated model server behaves: one frozen record, set by options, by a script, or by a test."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Kind: TypeAlias = Literal[
    "plain",
    "good",
    "bad",
    "hedging",
    "refusal",
    "marked_refusal",
    "empty",
    "truncated",
    "json",
    "invalid_json",
    "tool_call",
    "broken_tool_call",
]
Fault: TypeAlias = Literal["none", "hang", "reset", "close", "error"]
Place: TypeAlias = Literal["before_headers", "mid_headers", "after_headers", "mid_answer"]

Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=3600)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
MAX_TOKENS = 1_000_000
Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]


class Behaviour(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a server does with a request. The defaults answer at once, and well.

    Each member is an option of `extproc-router simulate` and a member of a script's step; its description is the
    reference of both. A constructor does not check ranges; `script.read` does.
    """

    ttft_seconds: Annotated[Seconds, Meta(description="time to the first token")] = 0.0
    tokens_per_second: Annotated[
        Annotated[float, Meta(gt=0, le=1e6)] | None, Meta(description="speed after that; as fast as it can by default")
    ] = None
    late_headers: Annotated[
        bool, Meta(description="a stream's headers come with its first token; they come at once by default, as vLLM's")
    ] = False
    headers_seconds: Annotated[Seconds, Meta(description="how long the headers dribble in, two bytes at a time")] = 0.0

    status: Annotated[
        Annotated[int, Meta(ge=400, le=599)] | None,
        Meta(description="answer with this HTTP status, as the API says it"),
    ] = None
    retry_after_seconds: Annotated[Count | None, Meta(description="a Retry-After header beside the status")] = None
    fault: Annotated[
        Fault,
        Meta(
            description="hang: say no more; reset: RST; close: FIN; error: an error event in place of the rest of a "
            "stream, a 500 in place of a whole answer"
        ),
    ] = "none"
    fault_at: Annotated[Place, Meta(description="where the fault strikes")] = "before_headers"
    fault_after_tokens: Annotated[
        Count, Meta(description="where it strikes mid_answer: after this many tokens of a stream, half a whole answer")
    ] = 0
    max_model_len: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="a prompt and max_tokens above this many tokens (four bytes each) are 400, in vLLM's words"),
    ] = None
    strict_models: Annotated[bool, Meta(description="a model that is not served is 404")] = False

    answer: Annotated[
        Kind, Meta(description="what it says; plain names the model and the cluster, or is good or bad by the skill")
    ] = "plain"
    skill: Annotated[
        Share | None,
        Meta(description="a plain answer is good where this reaches the prompt's [difficulty=0.73] (0.5 unmarked)"),
    ] = None
    noise: Annotated[Share, Meta(description="standard deviation of the skill, fixed for each prompt and model")] = 0.1
    seed: Annotated[int, Meta(description="of all that looks random")] = 0
    answer_tokens: Annotated[Count, Meta(description="answers are filled up to this many tokens")] = 0
    separation: Annotated[
        Share, Meta(description="how far apart the log-probabilities of good and of bad answers lie; 0: not at all")
    ] = 1.0
    without_logprobs: Annotated[bool, Meta(description="no log-probabilities, even where they are asked for")] = False

    split_bytes: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="cut a stream's writes into pieces of this many bytes")
    ] = None
    events_per_write: Annotated[Annotated[int, Meta(ge=1)], Meta(description="events of a stream in one write")] = 1
    comments: Annotated[bool, Meta(description="a comment before each event of a stream")] = False
    crlf: Annotated[bool, Meta(description="a stream's lines end with CRLF")] = False
    without_done: Annotated[bool, Meta(description="a stream without its [DONE]")] = False

    requests_waiting: Annotated[Count, Meta(description="what vllm:num_requests_waiting says")] = 0
    kv_cache_usage: Annotated[Share, Meta(description="what vllm:kv_cache_usage_perc says")] = 0.0
