"""What JSON says to somebody who reads it: its strings, without the escapes that can hide a word from a search."""

from __future__ import annotations

import json
import re
from typing import Final

# In valid JSON, with and without what is escaped in it.
_LITERAL: Final = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")

# The words of JSON Schema and of the APIs' own declarations: they say nothing of what they stand around.
_VOCABULARY: Final = frozenset(
    b"$defs $ref $schema additionalProperties allOf anyOf array boolean cache_control const custom default definitions"
    b" description documents enable_thinking enum ephemeral examples format function functions input_schema"
    b" integer items json_object json_schema maxItems maxLength maximum minItems minLength minimum name null number"
    b" object oneOf parameters pattern prefixItems properties required schema strict string text title tools"
    b" type".split()
)


def strings(raw: bytes) -> str:
    """All strings of some JSON, names of members too, in order, each on a line of its own.

    The words that schemas are made of (`type`, `object`) are left out, and so are empty strings. What is no JSON
    gives what looks like strings in it, escapes and all. Linear, some 20 ns for each byte at worst.

    Args:
        raw: UTF-8; any number of JSON values, one after the other.
    """
    literals = [literal for literal in _LITERAL.findall(raw) if literal and literal not in _VOCABULARY]
    # One string of all of them: to decode them one by one would take twenty times as long.
    spelled = b"\\n".join(literals)
    try:
        return whole(json.loads(b'"%b"' % spelled, strict=False))
    except ValueError:
        return spelled.decode("utf-8", "replace")


def unescaped(text: str) -> str:
    r"""JSON as it reads once its strings are decoded: `{"a":"\u0070ipe"}` becomes `{"a":"pipe"}`.

    Args:
        text: JSON; what is none, or has no escapes, is given back as it is.
    """
    if "\\" not in text or text.lstrip()[:1] not in {"{", "["}:
        return text
    # Between any two literals there is no quotation mark: with those of the literals escaped, all is one string.
    spelled = b'\\"'.join(_LITERAL.split(text.encode("utf-8", "surrogatepass")))
    try:
        return whole(json.loads(b'"%b"' % spelled, strict=False))
    except ValueError:
        return text


def whole(text: str) -> str:
    """A text in which half surrogate pairs, which no other encoding has, are U+FFFD; as many characters as before."""
    return _HALF_A_PAIR.sub("\ufffd", text)
