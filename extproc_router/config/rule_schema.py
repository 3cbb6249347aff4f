"""`safety` and `rules`, as they are written."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, create_model

from extproc_router.config.when import When
from extproc_router.options import Key, Name, Section
from extproc_router.policy import pickers

Message = Annotated[str, Field(min_length=1, max_length=2000)]


class SafetyRule(Section):
    """Guards every model.

    Where a signal that it needs cannot be read it applies all the same, or holds the request back with a 503, unless
    `when_absent` says otherwise.
    """

    name: Annotated[Name, Field(description="as decisions tell it")]
    when: Annotated[When | None, Field(description="when it applies; default: always")] = None
    then: Annotated[
        Literal["block", "refuse", "redact", "restrict", "flag"],
        Field(
            description="block: 403; refuse: a completion that declines; redact: placeholders for personal data; "
            "restrict: a higher privacy tier; flag: a line in the log"
        ),
    ]
    message: Annotated[Message | None, Field(description="what the client is told by block and refuse")] = None
    tier: Annotated[Name | None, Field(description="for restrict; default: the highest")] = None
    signal: Annotated[Name, Field(description="for redact: the signal of kind pii that finds")] = "pii"
    types: Annotated[
        list[Name] | None, Field(min_length=1, max_length=50, description="for redact: which types; default: all")
    ] = None
    when_absent: Annotated[
        Literal["apply", "skip"], Field(description="where a signal that it needs cannot be read")
    ] = "apply"
    shadow: Annotated[bool, Field(description="evaluated and logged, never applied")] = False


def _mode(value: object) -> str:
    return "[flag]" if isinstance(value, bool) else "[mode]"


# YAML 1.1 reads a bare `on` and `off` as true and false.
_Flag = Annotated[bool, Tag("[flag]")]
_Mode = Annotated[Literal["auto", "on", "off"], Tag("[mode]")]


class Gate(Section):
    """Whether the model reasons."""

    mode: Annotated[
        _Flag | _Mode,
        Discriminator(_mode),
        Field(description="auto: where the signal `reasoning` says that it pays (YAML reads a bare on as true)"),
    ]
    override_client: Annotated[bool, Field(description="even where the client said otherwise")] = False


def _gate(value: object) -> str:
    return "[mapping]" if isinstance(value, dict | Gate) else _mode(value)


WrittenGate = Annotated[_Flag | _Mode | Annotated[Gate, Tag("[mapping]")], Discriminator(_gate)]


class Tags(Section):
    """The models that have all of these tags."""

    tags: Annotated[list[Name], Field(min_length=1, max_length=50, description="all of them")]


def _among(value: object) -> str:
    return "[tags]" if isinstance(value, dict | Tags) else "[names]"


WrittenAmong = Annotated[
    Annotated[list[Name], Tag("[names]"), Field(min_length=1, max_length=1000)] | Annotated[Tags, Tag("[tags]")],
    Discriminator(_among),
]


def _with_pool(pick: str) -> type[Section]:
    among: Any = (
        Annotated[
            WrittenAmong | None, Field(description="names, or {tags: [..]}; default: the models it names, else all")
        ],
        None,
    )
    options = pickers.KINDS[pick].options
    return create_model(f"{pick.title().replace('_', '')}Use", __base__=options, __doc__=options.__doc__, among=among)


USES = {pick: _with_pool(pick) for pick in pickers.KINDS}


def _use(value: object) -> str:
    if isinstance(value, str):
        return "[model]"
    if isinstance(value, list):
        return "[models]"
    pick = value.get("pick") if isinstance(value, dict) else getattr(value, "pick", None)
    return f"[{pick}]"


_Models = Annotated[list[Name], Field(min_length=1, max_length=1000, description="these, in this order")]
if TYPE_CHECKING:
    WrittenUse: TypeAlias = Any
else:
    _uses = [
        Annotated[Name, Tag("[model]"), Field(description="this model")],
        Annotated[_Models, Tag("[models]")],
        *(Annotated[use, Tag(f"[{pick}]")] for pick, use in USES.items()),
    ]
    WrittenUse = Annotated[reduce(or_, _uses), Discriminator(_use)]


class Cascade(Section):
    """The first model's answer is judged, and where it is doubted the second one's takes its place.

    Nothing is judged where the second model is cheaper than the first: a strategy that puts the strong model first has
    made up its mind.
    """

    accept_at: Annotated[
        float, Field(ge=0, le=1, description="probability that the answer is good from which it is served")
    ] = 0.5
    first_tokens: Annotated[
        int, Field(ge=1, le=512, description="how much of a stream is judged before the client sees any of it")
    ] = 32


class Rule(Section):
    """Chooses a model for the requests that match; the first rule that matches wins."""

    name: Annotated[Name, Field(description="as decisions tell it")]
    when: Annotated[When | None, Field(description="when it matches; default: always")] = None
    use: Annotated[WrittenUse, Field(description="a model, several in order, or a strategy")]
    reasoning: Annotated[WrittenGate | None, Field(description="auto, on or off; default: the body's own")] = None
    max_tokens: Annotated[int | None, Field(ge=1, le=100_000_000, description="upper bound on the completion")] = None
    system_prefix: Annotated[
        str, Field(max_length=20_000, description="goes before the system prompt, or becomes it")
    ] = ""
    include_usage: Annotated[bool, Field(description="a streamed answer ends with its usage")] = False
    cascade: Annotated[
        Cascade | None, Field(description="the first answer is judged, and the next model asked where it is doubted")
    ] = None
    percent: Annotated[float, Field(gt=0, le=100, description="of the requests that match; sticky")] = 100.0
    by: Annotated[Key, Field(description="what the percentage is sticky by")] = "conversation"
    shadow: Annotated[bool, Field(description="evaluated and logged, never applied")] = False
