"""A file of cases, as it is written. Field descriptions are the reference that users see."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from extproc_router.cases.sending import http_of
from extproc_router.config.meaning import did_you_mean
from extproc_router.explaining.outcome import Outcome
from extproc_router.explaining.requests import CHAT
from extproc_router.options import Name, Section
from extproc_router.types import Reason

Label = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(max_length=1_000_000)]
Action = Literal["route", "block", "refuse", "unchecked", "error", "pass"]

assert set(Action.__args__) == set(Outcome)  # type: ignore[attr-defined]  # noqa: S101 - both list them


def _json(value: object) -> object:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot be written as JSON: {error} (dates have to be in quotes)") from error
    return value


def _reason(value: str | None) -> str | None:
    known = [reason.value for reason in Reason]
    if value is not None and value not in known:
        raise ValueError(f"unknown reason {value!r}{did_you_mean(value, known)}; there is {', '.join(known)}")
    return value


Json = Annotated[Any, AfterValidator(_json)]
JsonObject = Annotated[dict[str, Any], AfterValidator(_json)]


class Reading(Section):
    """What a signal says, in full."""

    label: Annotated[
        Label | bool | None,
        Field(description="its one label; true for a flag that is raised, false for one that is not"),
    ] = None
    labels: Annotated[list[Label], Field(max_length=100, description="further labels")] = Field(default_factory=list)
    confidence: Annotated[float, Field(ge=0, le=1, description="how sure it is of them")] = 1.0
    number: Annotated[float | None, Field(description="for signals that are compared")] = None
    absent: Annotated[
        Label | None, Field(description="why it could not be read, e.g. timeout; nothing else counts then")
    ] = None


def _shape(value: object) -> str:
    for shape, kind in (("flag", bool), ("number", (int, float)), ("label", str), ("labels", list)):
        if isinstance(value, kind):
            return f"[{shape}]"
    return "[reading]" if isinstance(value, dict | Reading) else "[other]"


Given = Annotated[
    Annotated[bool, Tag("[flag]")]
    | Annotated[float, Tag("[number]")]
    | Annotated[Label, Tag("[label]")]
    | Annotated[list[Label], Tag("[labels]"), Field(max_length=100)]
    | Annotated[Reading, Tag("[reading]")],
    Discriminator(
        _shape,
        custom_error_type="reading",
        custom_error_message="expected true, false, a number, a label, a list of labels, or {label, number, ...}",
    ),
]
Signals = Annotated[
    dict[str, Given],
    Field(
        max_length=200, description="signal name -> what it says, in place of reading it: independent of the encoder"
    ),
]


class Earlier(Section):
    """An earlier request of the same conversation."""

    prompt: Text
    signals: Signals = Field(default_factory=dict)


Before = Annotated[
    Annotated[str, Tag("[text]")] | Annotated[Earlier, Tag("[earlier]")],
    Discriminator(lambda value: "[text]" if isinstance(value, str) else "[earlier]"),
]


class Expect(Section):
    """What has to come out; what is left out may be anything."""

    model: Annotated[Name | None, Field(description="the model that it goes to")] = None
    rule: Annotated[
        str | None, Field(description='the rule that chose; "" for none, routing.domains for the table of domains')
    ] = None
    action: Annotated[
        Action | None,
        Field(
            description="route: it goes to a model; block, refuse: a safety rule says so; unchecked: a safety rule "
            "could not be decided; error: the router answers with an error; pass: it is not routed"
        ),
    ] = None
    status: Annotated[int | None, Field(ge=200, le=599, description="HTTP status, where the router answers itself")] = (
        None
    )
    reason: Annotated[
        str | None, AfterValidator(_reason), Field(description="as decisions log it, e.g. rule, domain, no_rule, shed")
    ] = None
    tier: Annotated[Name | None, Field(description="privacy tier that it is held to in the end")] = None
    chain: Annotated[list[Name] | None, Field(description="all models that may serve it, in order")] = None
    sticky: Annotated[
        Literal["held", "yielded", "none"] | None, Field(description="whether it keeps its conversation's model")
    ] = None
    safety: Annotated[
        list[Name] | None, Field(description="all safety rules that apply, as `name` or `name=action`, in any order")
    ] = None
    shadow: Annotated[
        list[Name] | None, Field(description="what all shadow rules would do, as `name` or `name=model`, in any order")
    ] = None
    body: Annotated[
        JsonObject | None,
        Field(
            description="members of the body that goes on, or of the answer where the router answers itself; of "
            "mappings those that are written, of lists every entry; null for a member that is not there"
        ),
    ] = None
    why_contains: Annotated[str | None, Field(min_length=1, description="a part of the sentence that says why")] = None

    @model_validator(mode="after")
    def _something(self) -> Expect:
        if not self.model_fields_set:
            raise ValueError("expects nothing: name at least one of model, rule, action, ...")
        return self


class Case(Section):
    """One request, and what has to come out."""

    name: Annotated[Name, Field(description="as the report tells it")]
    prompt: Annotated[Text | None, Field(description="one user message")] = None
    messages: Annotated[
        list[JsonObject] | None, Field(min_length=1, max_length=1000, description="a whole conversation instead")
    ] = None
    body: Annotated[Json, Field(description="a whole body instead: a mapping, or a text that is sent as it is")] = None
    after: Annotated[
        list[Before],
        Field(max_length=20, description="the user's earlier prompts in the same conversation, each decided first"),
    ] = Field(default_factory=list)
    path: Annotated[str, Field(pattern="^/", max_length=2000, description="the API's path")] = CHAT
    headers: Annotated[dict[str, str], Field(max_length=100, description="request headers")] = Field(
        default_factory=dict
    )
    model: Annotated[str, Field(max_length=256, description="what the client asks for")] = "auto"
    stream: Annotated[bool, Field(description="whether the answer shall be streamed")] = False
    signals: Signals = Field(default_factory=dict)
    expect: Expect

    @model_validator(mode="after")
    def _one_request(self) -> Case:
        if sum(value is not None for value in (self.prompt, self.messages, self.body)) != 1:
            raise ValueError("expected one of `prompt`, `messages` and `body`")
        if self.body is not None and not isinstance(self.body, dict | str):
            raise ValueError("`body` has to be a mapping, or a text")
        beside = self.model_fields_set & {"model", "stream"}
        if self.body is not None and beside:
            raise ValueError(f"`{min(beside)}` is a member of `body`: write it there")
        if self.after and self.prompt is None:
            raise ValueError("`after` goes with `prompt`: a conversation in `messages` says itself what came before")
        http_of(self)
        return self


class File(Section):
    """A file of cases."""

    cases: Annotated[list[Case], Field(min_length=1, max_length=10_000)]
