"""The written config, as pydantic reads it. Field descriptions are the reference that users see."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Goes into answers, headers of metrics and log lines: no control characters, no line separators, no space at an end.
_INNER = r"[^\p{Cc}\p{Zl}\p{Zp}]"
_OUTER = r"[^\p{Cc}\s]"
Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=rf"^{_OUTER}({_INNER}*{_OUTER})?$")]
# Goes into a header value and must match a cluster in envoy.yaml.
ClusterName = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/|-]*$")
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Cost(_Section):
    """USD per million tokens."""

    input: Annotated[float, Field(ge=0, description="USD per million prompt tokens")] = 0.0
    output: Annotated[float, Field(ge=0, description="USD per million completion tokens")] = 0.0


class Model(_Section):
    """One model that may be chosen."""

    name: Annotated[Name, Field(description="what clients ask for and see in /v1/models")]
    cluster: Annotated[ClusterName, Field(description="the cluster in envoy.yaml that serves it")]
    served_name: Annotated[Name | None, Field(description="what that cluster calls it; default: name")] = None
    cost: Annotated[Cost, Field(description="price")] = Cost()
    privacy: Annotated[Name | None, Field(description="highest tier it may see; default: the lowest")] = None


class Routing(_Section):
    """How a request that leaves the choice to us is routed."""

    default: Annotated[Name, Field(description="below the floor, on overload, and when nothing can be read")]
    domains: Annotated[dict[Name, Name], Field(description="domain label -> model name")] = Field(default_factory=dict)
    confidence_floor: Annotated[
        float | None, Field(ge=0, le=1, description="below it the default decides; default: the artefact's own")
    ] = None


class Limits(_Section):
    """Bounds on what one request may cost."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=256 * 1024 * 1024, description="above it: 413")] = 8 * 1024 * 1024
    encoder_deadline_ms: Annotated[
        int, Field(ge=1, le=60_000, description="waiting included; keep it below Envoy's message_timeout")
    ] = 150
    encoder_queue: Annotated[int, Field(ge=1, le=4096, description="prompts that may wait or run at once")] = 64


class File(_Section):
    """The whole file."""

    metadata: Annotated[dict[str, str], Field(description="free text, kept with the version")] = Field(
        default_factory=dict
    )
    auto: Annotated[list[Name], Field(min_length=1, description='model names that mean "route this for me"')] = Field(
        default_factory=lambda: ["auto"]
    )
    privacy_tiers: Annotated[list[Name], Field(min_length=1, description="lowest first")] = Field(
        default_factory=lambda: ["public"]
    )
    models: Annotated[list[Model], Field(min_length=1, max_length=1000)]
    routing: Routing
    limits: Limits = Limits()
