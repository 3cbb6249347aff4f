"""What Envoy makes of a word in a YAML file, which is not what YAML 1.1 makes of it.

Measured on Envoy 1.40, which reads YAML as JSON and that as its protos: a plain word is nothing, a truth or an integer;
whatever else there is (`1.5`, `2024-01-01`) stays the text that it is, and so does whatever stands in quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

_NOTHING = ("", "~", "null", "Null", "NULL")
_TRUTHS = {"y": True, "yes": True, "true": True, "on": True, "n": False, "no": False, "false": False, "off": False}
# What a string stands for where a field wants a truth, in any case.
_STRINGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
_WHOLE = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", re.ASCII)
_DIGITS = 20  # more than 2**63 has
_LONG, _SHORT = 2**63, 2**31


def read(node: yaml.Node) -> str | int | bool | None:
    """Return what a scalar means. Integers beyond 32 bits are text, as they are in Envoy."""
    text: str = node.value
    if getattr(node, "style", None):  # in quotes, or a block
        return text
    if text in _NOTHING:
        return None
    if text.lower() in _TRUTHS and text in (text.lower(), text.upper(), text.capitalize()):
        return _TRUTHS[text.lower()]
    found = _WHOLE.fullmatch(text) if len(text) <= _DIGITS else None
    if found is None:
        return text
    number = int(found[2], 16 if found[2][:2].lower() == "0x" else 8 if found[2][0] == "0" else 10)
    number = -number if found[1] == "-" else number
    if -_SHORT <= number < _SHORT:
        return number
    return str(number) if -_LONG <= number < _LONG else text


def truth(value: object) -> bool | None:
    """Return what stands in a field that wants a truth; None for what Envoy refuses there."""
    if isinstance(value, str):
        return _STRINGS.get(value.lower()) if value.isascii() else None
    return value if isinstance(value, bool) else None
