"""Options that the offline commands share, and how their values are read. Light: the parser imports it."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_PRICE = 1e12


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
        return {model: _price(model, price) for model, price in _object(written).items()}
    except OSError as error:
        raise StartupError(f"{path}: {error.strerror or error}") from error
    except RecursionError as error:
        raise StartupError(f"{path}: nested too deeply") from error
    except (ValueError, TypeError, KeyError) as error:
        raise StartupError(f"{path}: expected {{model: number}} or {{model: {{input, output}}}}: {error}") from error


def _object(written: object) -> dict[str, object]:
    if not isinstance(written, dict):
        raise TypeError("not an object")
    return written


def _price(model: str, written: object) -> float:
    if isinstance(written, dict):
        return _number(f"{model} (input)", written["input"]) + _number(f"{model} (output)", written["output"])
    return _number(model, written)


def _number(model: str, written: object) -> float:
    # A comparison that NaN fails, and that a whole number of any length may enter.
    if isinstance(written, bool) or not isinstance(written, int | float) or not 0 <= written <= MOST_PRICE:
        raise ValueError(f"the price of {model} is no number from 0 to {MOST_PRICE:g}")
    return float(written)


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


def tell(text: str) -> None:
    """Say something beside the output: on stderr, where there is one."""
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


def make_directory(path: Path) -> None:
    """Make a directory for what will be written at the end, so that it does not fail only then.

    Raises:
        StartupError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartupError(f"{path}: {error.strerror or error}") from error
