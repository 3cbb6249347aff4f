"""Options that the offline commands share, and how their values are read. Light: the parser imports it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def model_names(pairs: list[str]) -> dict[str, str]:
    """Read `NAME=MODEL` pairs: the policy's name -> the data's.

    Raises:
        StartupError: a pair is malformed.
    """
    named = {}
    for pair in pairs:
        name, equals, model = pair.partition("=")
        if not equals or not name or not model:
            raise StartupError(f"--as {pair!r}: expected NAME=MODEL")
        named[name] = model
    return named


def prices(path: Path) -> dict[str, float]:
    """Read JSON {model: cost per request} or {model: {input, output}}, whose sum stands for a request's cost.

    Raises:
        StartupError: the file cannot be read or has another shape.
    """
    try:
        written = json.loads(path.read_bytes())
        return {
            model: float(price["input"]) + float(price["output"]) if isinstance(price, dict) else float(price)
            for model, price in written.items()
        }
    except OSError as error:
        raise StartupError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StartupError(f"{path}: expected {{model: number}} or {{model: {{input, output}}}}: {error}") from error


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return an argparse type: a whole number within bounds."""

    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected {least} to {most}")
        return value

    return parse


def share(text: str) -> float:
    """Read a number between 0 and 1, an argparse type.

    Raises:
        argparse.ArgumentTypeError: it is not.
    """
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("expected a number between 0 and 1")
    return value
