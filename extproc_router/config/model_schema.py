"""`models`, as they are written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from extproc_router.candidates import ReasoningStyle
from extproc_router.options import ClusterName, Name, Section

Share = Annotated[float, Field(ge=0, le=1)]
Api = Literal["chat_completions", "completions", "responses", "embeddings", "anthropic_messages"]
Medium = Literal["image", "audio", "file"]
Style = Literal["enable_thinking", "thinking", "template_effort", "reasoning_effort", "anthropic"]
assert set(Style.__args__) == set(ReasoningStyle)  # type: ignore[attr-defined]  # noqa: S101 - both list them


def _scalar_or_mapping(value: object) -> str:
    return "[mapping]" if isinstance(value, dict | Section) else "[scalar]"


class Cost(Section):
    """USD per million tokens."""

    input: Annotated[float, Field(ge=0, le=1_000_000, description="USD per million prompt tokens")] = 0.0
    output: Annotated[float, Field(ge=0, le=1_000_000, description="USD per million completion tokens")] = 0.0


class Latency(Section):
    """What to expect of an unloaded server, until outcomes say otherwise."""

    ttft_ms: Annotated[float | None, Field(gt=0, le=600_000, description="time to the first token")] = None
    tokens_per_second: Annotated[float | None, Field(gt=0, le=1_000_000, description="speed after that")] = None


class ReasoningMembers(Section):
    """How a model is told to think."""

    style: Annotated[Style, Field(description="which members its server reads")]
    # Not `on` and `off`: YAML 1.1 reads these as true and false.
    effort_on: Annotated[Name, Field(description="the effort that means yes, for styles with efforts")] = "medium"
    effort_off: Annotated[Name, Field(description="the effort that means no")] = "low"
    budget_tokens: Annotated[int, Field(ge=1024, le=1_000_000, description="Anthropic's bound on thinking")] = 4096


Reasoning = Annotated[
    Annotated[Style, Tag("[scalar]")] | Annotated[ReasoningMembers, Tag("[mapping]")], Discriminator(_scalar_or_mapping)
]
Quality = Annotated[
    Annotated[Share, Tag("[scalar]")]
    | Annotated[
        dict[Name, Share], Tag("[mapping]"), Field(description="domain label -> quality; `default` for all others")
    ],
    Discriminator(_scalar_or_mapping),
]


class Adapter(Section):
    """A LoRA adapter: a model of its own, served by its base's cluster."""

    name: Annotated[Name, Field(description="what clients ask for and see in /v1/models")]
    served_name: Annotated[Name | None, Field(description="what the cluster calls it; default: name")] = None
    quality: Annotated[Quality | None, Field(description="in [0, 1]; default: the base's")] = None
    tags: Annotated[list[Name] | None, Field(max_length=50, description="default: the base's")] = None


class Model(Section):
    """One model that may be chosen. What is left out is unknown, and nothing is held against the model for it."""

    name: Annotated[Name, Field(description="what clients ask for and see in /v1/models")]
    cluster: Annotated[ClusterName, Field(description="the cluster in envoy.yaml that serves it")]
    served_name: Annotated[Name | None, Field(description="what that cluster calls it; default: name")] = None
    adapters: Annotated[list[Adapter], Field(max_length=200, description="LoRA adapters that this cluster serves")] = (
        Field(default_factory=list)
    )
    context_window: Annotated[
        int | None, Field(ge=16, le=100_000_000, description="tokens that prompt and completion may have together")
    ] = None
    tokenizer: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1000,
            description="path of its tokenizer.json, from this file's directory: prompts whose estimate is near the "
            "window are counted exactly",
        ),
    ] = None
    modalities: Annotated[list[Medium] | None, Field(description="what it takes beside text; [] for text alone")] = None
    tools: Annotated[bool | None, Field(description="whether it calls tools")] = None
    apis: Annotated[list[Api] | None, Field(min_length=1, description="the client APIs that its server speaks")] = None
    cost: Annotated[Cost, Field(description="price")] = Cost()
    quality: Annotated[Quality | None, Field(description="in [0, 1], one figure or one for each domain")] = None
    latency: Annotated[Latency, Field(description="what to expect of it")] = Latency()
    privacy: Annotated[Name | None, Field(description="highest tier it may see; default: the lowest")] = None
    reasoning: Annotated[Reasoning | None, Field(description="how it is told to think; default: it cannot be told")] = (
        None
    )
    logprobs: Annotated[
        bool, Field(description="whether it may be asked for log-probabilities, by which a cascade judges its answers")
    ] = True
    tags: Annotated[list[Name], Field(max_length=50, description="names by which rules choose several")] = Field(
        default_factory=list
    )
