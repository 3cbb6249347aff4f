"""The JSON Schema that a client wants the answer in, wherever its API and the servers that speak it have it.

OpenAI: https://platform.openai.com/docs/guides/structured-outputs; Anthropic: `output_format` and `output_config`;
vLLM, behind every path: https://docs.vllm.ai/en/stable/features/structured_outputs.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.json_views import ABSENT, is_object, is_present, is_string, is_true, string

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_OBJECT: Final = "{}"
"""A schema that every JSON value has; stands for JSON without a schema, too."""

MAX_BYTES: Final = 16 * 1024
"""Of a schema that is kept; a longer one counts as `ANY_OBJECT`: that the answer is JSON can be told all the same."""


class _Asked(Struct, gc=False):
    guided_json: Raw = ABSENT
    output_config: Raw = ABSENT
    output_format: Raw = ABSENT
    response_format: Raw = ABSENT
    structured_outputs: Raw = ABSENT
    text: Raw = ABSENT


class _Holder(Struct, gc=False):
    format: Raw = ABSENT
    json: Raw = ABSENT
    json_object: Raw = ABSENT


class _Format(Struct, gc=False):
    type: Raw = ABSENT
    json_schema: Raw = ABSENT
    schema: Raw = ABSENT


_ASKED = msgspec.json.Decoder(_Asked)
_HOLDER = msgspec.json.Decoder(_Holder)
_FORMAT = msgspec.json.Decoder(_Format)
_JSON = msgspec.json.Decoder(Raw)
_ANY: Final = Raw(ANY_OBJECT.encode())


def demanded_schema(body: bytes) -> str:
    """Return it as JSON text, at most `MAX_BYTES` of it; empty where no JSON was asked for.

    A body has the members of one API; those of another one would be for nobody.

    Args:
        body: a JSON object that a dialect has read.
    """
    return next(filter(None, map(_written, _schemas(_ASKED.decode(body)))), "")


def _schemas(asked: _Asked) -> Iterator[Raw]:
    """Yield what may be a schema, or a string that is one; `ANY_OBJECT` where JSON of no schema is asked for."""
    holders = [_HOLDER.decode(raw) for raw in (asked.text, asked.output_config) if is_object(raw)]
    for written in (asked.response_format, asked.output_format, *(holder.format for holder in holders)):
        if is_object(written):
            yield _of_format(_FORMAT.decode(written))
    yield asked.guided_json
    if is_object(asked.structured_outputs):
        outputs = _HOLDER.decode(asked.structured_outputs)
        yield outputs.json
        yield _ANY if is_true(outputs.json_object) else ABSENT


def _of_format(written: _Format) -> Raw:
    kind = string(written.type)
    if kind == "json_schema":
        nested = written.json_schema
        schema = _FORMAT.decode(nested).schema if is_object(nested) else written.schema
        return schema if is_present(schema) else _ANY
    return _ANY if kind == "json_object" else ABSENT


def _written(schema: Raw) -> str:
    if not is_present(schema):
        return ""
    if len(schema) > MAX_BYTES:
        return ANY_OBJECT
    try:
        text = string(schema) if is_string(schema) else bytes(schema).decode()
        return text if is_object(_JSON.decode(text)) else ANY_OBJECT
    except (msgspec.DecodeError, RecursionError):
        return ANY_OBJECT
