"""`when`, as it is written: signal names with tests, and `all`, `any`, `not`. Several members all have to hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from extproc_router.options import Section

MAX_PARTS = 100
"""Parts of one `all` or `any`, labels of one test."""

Label = Annotated[str, Field(min_length=1, max_length=256)]


class Comparison(Section):
    """Tests on a signal's number and labels; all that are written have to hold."""

    above: Annotated[float | None, Field(description="the number is greater")] = None
    at_least: Annotated[float | None, Field(description="the number is greater or equal")] = None
    below: Annotated[float | None, Field(description="the number is less")] = None
    at_most: Annotated[float | None, Field(description="the number is less or equal")] = None
    any_of: Annotated[
        list[Label] | None, Field(min_length=1, max_length=MAX_PARTS, description="it has one of these labels")
    ] = None
    all_of: Annotated[
        list[Label] | None, Field(min_length=1, max_length=MAX_PARTS, description="it has all of these labels")
    ] = None
    none_of: Annotated[
        list[Label] | None, Field(min_length=1, max_length=MAX_PARTS, description="it has none of these labels")
    ] = None
    confidence: Annotated[
        float | None, Field(ge=0, le=1, description="less sure labels decide nothing; default: the signal's own floor")
    ] = None


def _shape(value: object) -> str:
    # bool is an int to Python, not to people.
    for shape, kind in (("flag", bool), ("number", (int, float)), ("label", str), ("labels", list)):
        if isinstance(value, kind):
            return f"[{shape}]"
    return "[comparison]" if isinstance(value, dict | Comparison) else "[other]"


Written = Annotated[
    Annotated[bool, Tag("[flag]"), Field(description="whether it has any label")]
    | Annotated[float, Tag("[number]"), Field(description="the number is exactly this")]
    | Annotated[Label, Tag("[label]"), Field(description="it has this label")]
    | Annotated[
        list[Label], Tag("[labels]"), Field(min_length=1, max_length=MAX_PARTS, description="it has one of these")
    ]
    | Annotated[Comparison, Tag("[comparison]")],
    Discriminator(
        _shape,
        custom_error_type="test",
        custom_error_message="expected true, false, a label, a list of labels, or comparisons such as {above: 0.5}",
    ),
]


class When(BaseModel):
    """A condition; members are names of signals, `all`, `any` and `not`, and all of them have to hold."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, Written] = Field(init=False)

    all: Annotated[list[When] | None, Field(min_length=1, max_length=MAX_PARTS, description="every one holds")] = None
    any: Annotated[list[When] | None, Field(min_length=1, max_length=MAX_PARTS, description="at least one holds")] = (
        None
    )
    not_: Annotated[When | None, Field(alias="not", description="it does not hold")] = None
