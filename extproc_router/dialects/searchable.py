"""Where in a body personal data may stand.

Everything is searched that people or tools may have written: all strings, those of unknown members and unknown kinds
of parts too, and numbers that are long enough to be somebody's. Left out are settings (`INERT`), names that an API or
a tool defines, ids, signatures, base64 and what a schema lists (`enum`, `default`): a change there breaks the request.
Names of members are searched where nobody defines them: in what a tool was asked, metadata, variables (`_FREE_FORM`).
A member `name` is a name there, so all of it is searched. So is `thinking`: a changed block no longer fits its
signature, but a model that only ever saw placeholders thinks in placeholders, and an error is better than a leak.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from extproc_router.errors import UncheckableBody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIN_DIGITS: Final = 7
"""Shorter numbers are nobody's: token ids, sizes, years."""

MIN_CHARACTERS: Final = 4
"""Shorter strings are not searched: nothing personal is that short, save names that no search knows by themselves."""

MAX_TOKENS: Final = 50_000
"""Strings, long numbers and brackets in one body, some 25 ms of walking."""

# A body is valid JSON, so a string before a colon is a key, and brackets outside of strings are in pairs.
_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\n\r]*+:)?|[\[\]{}]|-?[0-9][0-9.eE+-]{%d,}' % (MIN_DIGITS - 1))
# All of it must be base64, so that no text is taken for it.
_DATA_URL = re.compile(rb"data:[\w.+-]+/[\w.+-]+(?:;[\w.=+-]+)*;base64,[A-Za-z0-9+/_=-]*", re.IGNORECASE)
_PAYLOAD = re.compile(rb"[A-Za-z0-9+/_-]{64,}={0,2}")
_QUOTE, _OPEN, _CLOSE = ord('"'), frozenset(b"[{"), frozenset(b"]}")

# Of the body's own members: numbers, choices among given words, and what names things of the server's.
INERT: Final = frozenset(
    b"model n stream stream_options service_tier store background include truncation echo best_of request_id priority"
    b" seed temperature top_p top_k top_a min_p frequency_penalty presence_penalty repetition_penalty length_penalty"
    b" max_tokens max_completion_tokens max_output_tokens max_tool_calls min_tokens stop_token_ids allowed_token_ids"
    b" logprobs top_logprobs prompt_logprobs logit_bias ignore_eos use_beam_search skip_special_tokens"
    b" spaces_between_special_tokens truncate_prompt_tokens add_special_tokens add_generation_prompt"
    b" continue_final_message include_stop_str_in_output return_token_ids return_tokens_as_token_ids"
    b" tool_choice function_call parallel_tool_calls reasoning reasoning_effort enable_thinking include_reasoning"
    b" thinking thinking_budget verbosity modalities audio encoding_format dimensions normalize prompt_embeds"
    b" previous_response_id conversation container mcp_servers prompt_cache_retention mm_processor_kwargs"
    b" anthropic_version anthropic_beta betas".split()
)
# Strings that a change would break; objects under these names are searched, for they are something else.
_STRUCTURAL: Final = frozenset(
    b"role type id tool_call_id tool_use_id call_id item_id response_id previous_response_id approval_request_id"
    b" file_id container_id uuid model tool_name server_label server_name server_url authorization connector_id"
    b" expires_at created_at $ref $schema"
    b" signature thought_signature encrypted_content encrypted_index encrypted_stdout".split()
)
# And all below these.
_OPAQUE: Final = frozenset(
    b"cache_control headers required file_ids vector_store_ids logprobs image_embeds audio_embeds".split()
)
_FREE_FORM: Final = frozenset(
    b"input arguments variables attributes metadata env documents extra_body chat_template_kwargs".split()
)
_SCHEMAS: Final = frozenset(
    b"tools functions parameters input_schema response_format guided_json structured_outputs output_config".split()
)
# What stands in a schema for people and models to read.
_WORDS: Final = frozenset(b"description title".split())
# The members of these are named by whoever wrote the schema, so `id` in there is no id.
_NAMING: Final = frozenset(b"properties patternProperties $defs definitions dependentSchemas".split())

# What a value is: not looked at, the body itself, what an API defines and so has structure, a schema (in which numbers
# are bounds), the members that a schema names, what nobody defines.
_SKIPPED, _BODY, _CONTENT, _SCHEMA, _NAMES, _FREE = range(6)
_DEFINED: Final = frozenset({_CONTENT, _SCHEMA})

# The mode of a member's value, in the body itself and below; all else is content, or what it stands in.
_SECTIONS: Final = (
    dict.fromkeys(INERT, _SKIPPED)
    | dict.fromkeys(_FREE_FORM - {b"input"}, _FREE)
    | dict.fromkeys(_SCHEMAS | {b"text"}, _SCHEMA)
)
_WITHIN: Final = (
    dict.fromkeys(_OPAQUE, _SKIPPED)
    | dict.fromkeys(_FREE_FORM, _FREE)
    | dict.fromkeys(_SCHEMAS, _SCHEMA)
    | dict.fromkeys(_NAMING, _NAMES)
)


class _Frame:
    """A container that was entered: its mode, that of the value to come, and what decides on the values held back."""

    __slots__ = ("held", "inner", "key", "mode", "role", "type")

    def __init__(self, mode: int) -> None:
        self.mode = self.inner = mode
        self.key = self.role = self.type = b""
        self.held: list[tuple[bytes, bytes, int]] = []

    def enter(self, literal: bytes) -> bool:
        """Come to a member; whether its name is searched."""
        self.key = key = plain(literal)
        if self.mode in _DEFINED:
            self.inner = _WITHIN.get(key, self.mode)
        elif self.mode == _BODY:
            self.inner = _SECTIONS.get(key, _CONTENT)
        elif self.mode == _NAMES:
            self.inner = _SCHEMA
        return self.mode == _FREE

    def take(self, literal: bytes, start: int) -> bool:
        """Come to a string; whether it is searched at once."""
        if self.inner in {_SKIPPED, _FREE}:
            return self.inner == _FREE
        if self.inner == _SCHEMA and self.mode == _SCHEMA and self.key not in _WORDS:
            return False  # what a model may answer: an example, a default, one of an enumeration
        if self.mode in _DEFINED:
            if self.key in _STRUCTURAL:
                if self.key == b"type":
                    self.type = plain(literal)
                elif self.key == b"role":
                    self.role = plain(literal)
                return False
            if self.key in _HELD:
                self.held.append((self.key, literal, start))
                return False
        return not (self.key in _PAYLOADS and _PAYLOAD.fullmatch(literal))

    def takes_number(self) -> bool:
        """Whether a number is searched."""
        if _FREE in {self.mode, self.inner}:
            return True
        return self.mode == self.inner == _CONTENT and self.key not in _STRUCTURAL

    def released(self) -> Iterator[tuple[int, int]]:
        """Where the strings stand that were held back, and are searched now that the object has ended."""
        for key, literal, start in self.held:
            if _HELD[key](self, literal):
                yield start, start + len(literal)


# These members are content in some objects only, and which ones may be known as late as at the object's end: names are
# those of people in messages, `data` is text in a source that says so, a result is base64 where an image was made.
_HELD: Final[dict[bytes, Callable[[_Frame, bytes], bool]]] = {
    b"name": lambda frame, _: frame.role not in {b"", b"tool", b"function"},
    b"data": lambda frame, literal: frame.type == b"text" or not _PAYLOAD.fullmatch(literal),
    b"result": lambda frame, literal: frame.type != b"image_generation_call" or not _PAYLOAD.fullmatch(literal),
}
# In these members base64 is base64 whatever the object says.
_PAYLOADS: Final = frozenset(b"file_data b64_json image audio video image_url".split())


def searchable(body: bytes, *, free: bool = False) -> Iterator[tuple[int, int]]:
    """Where the strings, without their quotation marks, and the numbers stand that may hold personal data.

    Args:
        body: valid JSON.
        free: whether nobody defines its members; else it is a request body.

    Raises:
        UncheckableBody: it has more than `MAX_TOKENS` pieces.
    """
    frames = [_Frame(_FREE if free else _BODY)]
    skipped = 0  # how deep in something that is not looked at
    for count, token in enumerate(_TOKEN.finditer(body)):
        if count >= MAX_TOKENS:
            raise too_much()
        kind, frame = body[token.start()], frames[-1]
        if skipped:
            skipped += (kind in _OPEN) - (kind in _CLOSE)
        elif kind == _QUOTE:
            search = frame.enter(token[1]) if token.end(2) >= 0 else frame.take(token[1], token.start(1))
            if search:
                yield token.span(1)
        elif kind in _OPEN:
            if frame.inner == _SKIPPED:
                skipped = 1
            else:
                frames.append(_Frame(frame.inner))
        elif kind in _CLOSE:
            yield from frames.pop().released()
        elif frame.takes_number():
            yield token.span()


def too_much() -> UncheckableBody:
    """What the client is told of a body that would take too long."""
    return UncheckableBody(
        "This body cannot be checked: it holds more personal data, or more pieces, than are looked through."
    )


def is_data_url(literal: bytes) -> bool:
    """Whether all of a string is a `data:` URL of base64."""
    return literal[:5].lower() == b"data:" and _DATA_URL.fullmatch(literal) is not None


def plain(literal: bytes) -> bytes:
    """A JSON string, spelled without its quotation marks, as UTF-8."""
    if b"\\" not in literal:
        return literal
    text: str = json.loads(b'"%b"' % literal)
    return text.encode("utf-8", "replace")
