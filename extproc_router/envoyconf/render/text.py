"""Texts inside other texts: names in YAML, strings in Lua, blocks within blocks."""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_BARE_PATH = re.compile(r"/[A-Za-z0-9_./-]*")
# What one YAML or another takes for something else than text.
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_ASCII = range(0x20, 0x7F)
_TWO_DIGITS, _FOUR_DIGITS = 0x100, 0x10000


def scalar(value: str) -> str:
    """Write a text as YAML: bare where every parser reads it so, else in double quotes; ASCII alone."""
    if (_BARE.fullmatch(value) and value.lower() not in _WORDS) or _BARE_PATH.fullmatch(value):
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def lua(value: bytes) -> str:
    """Write bytes as a Lua string; ASCII alone."""
    plain = (chr(byte) if byte in _ASCII and byte not in b'"\\' else f"\\{byte:03d}" for byte in value)
    return '"' + "".join(plain) + '"'


def seconds(value: float) -> str:
    """Write a duration as Envoy reads it, e.g. `0.25s`."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"


def indented(text: str, by: int) -> str:
    """Move the lines of a text to the right; empty ones stay empty."""
    return "".join(f"{' ' * by}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _escaped(letter: str) -> str:
    code = ord(letter)
    if letter in '"\\':
        return f"\\{letter}"
    if code in _ASCII:
        return letter
    return f"\\x{code:02x}" if code < _TWO_DIGITS else f"\\u{code:04x}" if code < _FOUR_DIGITS else f"\\U{code:08x}"
