"""Files that tell a simulated model server what to do: scripts of behaviours, and tables of outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from extproc_router import regular_file
from extproc_router.bulk.jsonl import read_lines
from extproc_router.errors import StartupError
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 1024 * 1024
MAX_STEPS = 10_000
MAX_OUTCOMES = 1_000_000


class _Repeat(Struct):
    times: Annotated[int, Meta(ge=1, le=MAX_STEPS)] = 1


class _Outcome(Struct):
    prompt: str
    good: bool


_OUTCOME = msgspec.json.Decoder(_Outcome)


def behaviour(members: Mapping[str, Any], *, strict: bool = True) -> Behaviour:
    """Make a behaviour of what was written.

    Args:
        members: name -> value; those that are left out stay as they are by default.
        strict: whether types must fit; otherwise text is read as what is wanted, as on a command line.

    Raises:
        ValueError: a name is unknown, a type does not fit, or a value is out of its range.
    """
    return msgspec.convert(members, Behaviour, strict=strict)


def read(path: Path, base: Behaviour) -> tuple[Behaviour, ...]:
    """Read a script: a YAML or JSON list, a step for each request, each with members of `Behaviour`.

    A step may say `times: 3` to be three steps.

    Args:
        path: of the file.
        base: what steps leave out.

    Raises:
        StartupError: the file cannot be read, is no such list, or a step has a mistake.
    """
    try:
        written = yaml.load(regular_file.read(path, MAX_BYTES), yaml.CSafeLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise StartupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(written, list) or not written:
        raise StartupError(f"{path}: expected a list of steps, at least one")
    steps: list[Behaviour] = []
    for number, step in enumerate(written, 1):
        try:
            steps += _steps(step, base)
        except ValueError as error:
            raise StartupError(f"{path}: step {number}: {error}") from error
        if len(steps) > MAX_STEPS:
            raise StartupError(f"{path}: more than {MAX_STEPS} steps")
    return tuple(steps)


def outcomes(path: Path) -> dict[str, bool]:
    """Read a table of outcomes: JSON Lines `{"prompt": text, "good": true}`, plain or gzipped; others are ignored.

    Raises:
        StartupError: the file cannot be read, is too long, or a line is not of that shape.
    """
    table: dict[str, bool] = {}
    for number, line in read_lines(path):
        try:
            outcome = _OUTCOME.decode(line)
        except ValueError as error:
            raise StartupError(f"{path}:{number}: {error}") from error
        table[outcome.prompt] = outcome.good
        if len(table) > MAX_OUTCOMES:
            raise StartupError(f"{path}: more than {MAX_OUTCOMES:,} prompts")
    return table


def _steps(step: object, base: Behaviour) -> list[Behaviour]:
    if not isinstance(step, dict):
        raise ValueError("expected members of a behaviour")  # noqa: TRY004 - a mistake of the file's, like the others
    repeat = msgspec.convert(step, _Repeat)
    own = {name: value for name, value in step.items() if name != "times"}
    return [behaviour({**msgspec.structs.asdict(base), **own})] * repeat.times
