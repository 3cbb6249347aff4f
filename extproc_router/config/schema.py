"""The written config, as pydantic reads it. Field descriptions are the reference that users see."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from extproc_router.config.endpoint_schema import Endpoints
from extproc_router.config.model_schema import Model
from extproc_router.config.rule_schema import Rule, SafetyRule
from extproc_router.config.signal_schema import WrittenSignal
from extproc_router.config.verifier_schema import Verifier
from extproc_router.options import Name, Section

_STICKY = r"^(none|conversation|header:[a-z0-9!#$%&'*+.^_`|~-]+)$"


class Routing(Section):
    """How a request that leaves the choice to us is routed where no rule says otherwise."""

    default: Annotated[Name, Field(description="decides where no rule matches, on overload, and on failure")]
    domains: Annotated[
        dict[Name, Name], Field(description="domain label -> model name, after all rules: a rule for each, in short")
    ] = Field(default_factory=dict)
    confidence_floor: Annotated[
        float | None, Field(ge=0, le=1, description="a less sure domain decides nothing; default: the artefact's own")
    ] = None
    unrouted: Annotated[
        Literal["pass", "refuse"] | None,
        Field(
            description="requests on other paths than the APIs', which nobody reads: `pass` to the default route, or "
            "`refuse` those that may have a body; default: refuse where safety rules are in force"
        ),
    ] = None
    sticky_by: Annotated[
        str,
        StringConstraints(max_length=160, pattern=_STICKY),
        Field(
            description="a conversation stays with its model as long as that one suffices; what tells conversations "
            "apart: `conversation` (its beginning), `header:NAME`, or `none`"
        ),
    ] = "conversation"


class Limits(Section):
    """Bounds on what one request may cost."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=256 * 1024 * 1024, description="above it: 413")] = 8 * 1024 * 1024
    encoder_deadline_ms: Annotated[
        int, Field(ge=1, le=60_000, description="waiting included; keep it below Envoy's message_timeout")
    ] = 150
    encoder_queue: Annotated[int, Field(ge=1, le=4096, description="prompts that may wait or run at once")] = 64
    sticky_conversations: Annotated[
        int, Field(ge=1, le=1_000_000, description="how many of the last conversations are remembered, 200 bytes each")
    ] = 10_000


class Fallback(Section):
    """What is tried where a model fails, by Envoy itself: refused, reset, silent, 429 or 5xx."""

    models: Annotated[
        list[Name],
        Field(
            max_length=50,
            description="behind every chain of requests that leave the choice to us, in this order, those that may and "
            "can serve the request",
        ),
    ] = Field(default_factory=list)
    attempts: Annotated[
        int, Field(ge=1, le=8, description="how many models one request may try; 1 turns fallback off")
    ] = 3
    stream_seconds: Annotated[
        float, Field(ge=0.1, le=3600, description="silence before a stream's first byte that means the next model")
    ] = 15.0
    answer_seconds: Annotated[float, Field(ge=0.1, le=3600, description="the same where the answer comes whole")] = (
        300.0
    )
    on_context_length: Annotated[
        bool, Field(description="a 400 that says that the prompt is too long for the model means the next one, too")
    ] = False


class File(Section):
    """The whole file."""

    metadata: Annotated[dict[str, str], Field(description="free text, kept with the version")] = Field(
        default_factory=dict
    )
    auto: Annotated[
        list[Name], Field(min_length=1, max_length=100, description='model names that mean "route this for me"')
    ] = Field(default_factory=lambda: ["auto"])
    privacy_tiers: Annotated[list[Name], Field(min_length=1, max_length=32, description="lowest first")] = Field(
        default_factory=lambda: ["public"]
    )
    models: Annotated[list[Model], Field(min_length=1, max_length=1000, description="the models that may be chosen")]
    signals: Annotated[
        list[WrittenSignal],
        Field(max_length=200, description="signals that need options; the others exist under the name of their kind"),
    ] = Field(default_factory=list)
    safety: Annotated[
        list[SafetyRule],
        Field(max_length=200, description="stands in front of every model, named ones too; all that match apply"),
    ] = Field(default_factory=list)
    rules: Annotated[list[Rule], Field(max_length=1000, description="the first that matches chooses")] = Field(
        default_factory=list
    )
    routing: Annotated[Routing, Field(description="what decides where no rule does")]
    fallback: Annotated[Fallback, Field(description="what is tried where a model fails")] = Fallback()
    verifier: Annotated[Verifier, Field(description="what the first answer of a cascade is judged by")] = Verifier()
    limits: Annotated[Limits, Field(description="bounds on what one request may cost")] = Limits()
    endpoints: Annotated[Endpoints, Field(description="addresses, for `envoy render`")] = Endpoints()
