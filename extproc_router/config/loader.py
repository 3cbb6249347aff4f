"""Document -> Config: shape by pydantic, meaning (names that refer to names) by `meaning`. All mistakes at once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from extproc_router.config import document as yaml_document
from extproc_router.config import meaning, schema
from extproc_router.errors import ConfigError
from extproc_router.types import Candidate, Mistake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


class Routing(Struct, frozen=True):
    """Domain label -> model name, and what decides otherwise. `confidence_floor` None: the artefact's own."""

    default: str
    domains: dict[str, str]
    confidence_floor: float | None


class Config(Struct, frozen=True):
    """A checked config.

    Attributes:
        version: first 12 hex digits of the SHA-256 of the file's bytes.
        metadata: free text of its author.
        auto: model names that mean "route this".
        privacy_tiers: lowest first.
        candidates: the models, in file order.
        routing: the policy.
        limits: bounds, as written.
        document: where each value stood, for mistakes that are found later.
    """

    version: str
    metadata: dict[str, str]
    auto: tuple[str, ...]
    privacy_tiers: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    routing: Routing
    limits: schema.Limits
    document: yaml_document.Document


def load(
    text: str | bytes, file: str, *, labels: Collection[str] | None = None, clusters: Collection[str] | None = None
) -> Config:
    """Read a config.

    Args:
        text: the file's content.
        file: its name, for mistakes.
        labels: the domains that rules may name; None where they are not known yet.
        clusters: the clusters that models may name; None likewise.

    Raises:
        ConfigError: with every mistake that could be found.
    """
    document = yaml_document.parse(text, file)
    mistakes = [*document.mistakes, *meaning.mistakes(document, labels=labels, clusters=clusters)]
    try:
        written = schema.File.model_validate(document.data)
    except ValidationError as error:
        mistakes += [
            _shape_mistake(document, detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()
        ]
        raise ConfigError(_in_file_order(mistakes)) from error
    if mistakes:
        raise ConfigError(_in_file_order(mistakes))
    return _compile(document, written, text)


def _in_file_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda mistake: (mistake.line, mistake.field)))


def _shape_mistake(
    document: yaml_document.Document, location: tuple[str | int, ...], kind: str, message: str
) -> Mistake:
    """Turn pydantic's report into ours; its `[key]` marks bad keys of mappings, whose path is the key itself."""
    path = tuple(part for part in location if part != "[key]")
    if kind == "extra_forbidden":
        return document.mistake(path, "unknown field" + meaning.did_you_mean(str(path[-1]), _fields_at(path[:-1])))
    return document.mistake(path, message[0].lower() + message[1:])


def _fields_at(path: tuple[str | int, ...]) -> Iterable[str]:
    sections: Mapping[str, type[BaseModel]] = {
        "models": schema.Model,
        "routing": schema.Routing,
        "limits": schema.Limits,
        "cost": schema.Cost,
    }
    named = [part for part in path if isinstance(part, str)]
    return sections[named[-1]].model_fields if named and named[-1] in sections else schema.File.model_fields


def _compile(document: yaml_document.Document, written: schema.File, text: str | bytes) -> Config:
    raw = text.encode() if isinstance(text, str) else text
    ranks = {tier: rank for rank, tier in enumerate(written.privacy_tiers)}
    return Config(
        version=hashlib.sha256(raw).hexdigest()[:12],
        metadata=dict(written.metadata),
        auto=tuple(written.auto),
        privacy_tiers=tuple(written.privacy_tiers),
        candidates=tuple(
            Candidate(
                name=model.name,
                cluster=model.cluster,
                served_name=model.served_name or model.name,
                cost_input=model.cost.input,
                cost_output=model.cost.output,
                clearance=ranks[model.privacy] if model.privacy else 0,
            )
            for model in written.models
        ),
        routing=Routing(written.routing.default, dict(written.routing.domains), written.routing.confidence_floor),
        limits=written.limits,
        document=document,
    )
