"""The models that may be chosen: what the config says of them, what is believed of them, and what changes in a body."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from extproc_router.types import Modality


class ReasoningStyle(StrEnum):
    """How a family of models is told to think, or not to."""

    ENABLE_THINKING = "enable_thinking"  # vLLM: chat_template_kwargs.enable_thinking (Qwen3, GLM-4.5)
    THINKING = "thinking"  # vLLM: chat_template_kwargs.thinking (DeepSeek-V3.1, Granite)
    TEMPLATE_EFFORT = "template_effort"  # vLLM: chat_template_kwargs.reasoning_effort
    REASONING_EFFORT = "reasoning_effort"  # top level: reasoning_effort; responses: reasoning.effort (OpenAI, gpt-oss)
    ANTHROPIC = "anthropic"  # top level: thinking {type, budget_tokens}


class Reasoning(Struct, frozen=True):
    """How one model is told to think.

    Attributes:
        style: which members its server reads.
        on: effort that means yes, for the two styles with efforts.
        off: effort that means no.
        budget_tokens: Anthropic's bound on thinking, at least 1024.
    """

    style: ReasoningStyle
    on: str = "medium"
    off: str = "low"
    budget_tokens: int = 4096


class Candidate(Struct, frozen=True):
    """A model that may be chosen. What the config leaves open is None: nothing is held against it.

    Attributes:
        name: what clients ask for and see in /v1/models.
        cluster: the Envoy cluster that serves it.
        served_name: what that cluster calls it.
        cost_input: USD per million prompt tokens.
        cost_output: USD per million completion tokens.
        clearance: rank of the highest privacy tier that it may see; 0 is the lowest tier.
        window: tokens that prompt and completion may have together.
        tokenizer: path of its tokenizer.json, as the config writes it; empty where there is none.
        modalities: what it takes beside text.
        tools: whether it calls tools.
        apis: names of the dialects that its server speaks.
        quality: domain label -> [0, 1]; the label `` (empty) stands for all others.
        ttft_ms: expected time to its first token, unloaded.
        tokens_per_second: expected speed after that.
        reasoning: how it is told to think; None where it cannot be told.
        tags: names by which rules may choose several.
        logprobs: whether it may be asked for log-probabilities.
    """

    name: str
    cluster: str
    served_name: str
    cost_input: float
    cost_output: float
    clearance: int
    window: int | None = None
    tokenizer: str = ""
    modalities: frozenset[Modality] | None = None
    tools: bool | None = None
    apis: frozenset[str] | None = None
    quality: Mapping[str, float] = field(default_factory=dict)
    ttft_ms: float | None = None
    tokens_per_second: float | None = None
    reasoning: Reasoning | None = None
    tags: frozenset[str] = frozenset()
    logprobs: bool = True


class Load(Struct, frozen=True):
    """What is believed of a model now: requests that wait there, and the time to the first token where none does."""

    waiting: float
    ttft_ms: float


class Beliefs(Struct, frozen=True):
    """What outcomes have taught, by model name. Empty until something feeds them: priors hold then."""

    loads: Mapping[str, Load] = field(default_factory=dict)


class Change(Struct, frozen=True):
    """What shall change in a body beside personal data.

    Attributes:
        model: the new value of `model`.
        think: whether the model shall reason; None leaves the body as it is.
        reasoning: how this model is told; None where it cannot be.
        override: whether that overrides what the client said explicitly.
        max_tokens: upper bound on the completion; a lower one that the client wrote stays.
        system_prefix: goes before the system prompt, or becomes it.
        include_usage: whether a streamed answer shall end with its usage.
        logprobs: whether the answer shall have its tokens' log-probabilities.
    """

    model: str
    think: bool | None = None
    reasoning: Reasoning | None = None
    override: bool = False
    max_tokens: int | None = None
    system_prefix: str = ""
    include_usage: bool = False
    logprobs: bool = False
