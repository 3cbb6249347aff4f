"""Tests that a signal can never pass, or that mean another thing than they seem to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.config.meaning import did_you_mean
from extproc_router.config.when import Comparison
from extproc_router.signals.head import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.signals.base import Reader

    Found = tuple[tuple[str | int, ...], str]

_BOUNDS = {"above": "above", "at_least": "at least", "below": "below", "at_most": "at most"}
_LABELS = ("any_of", "all_of", "none_of")
_SHOWN = 20  # labels that a mistake lists


def impossible(
    value: Any,  # noqa: ANN401 - one of the shapes of `when.Written`
    written: Comparison,
    reader: Reader,
) -> Iterator[Found]:
    """Yield what is wrong with a test: where, from the signal's name on, and the message.

    Args:
        value: as it stands in the file.
        written: the same as comparisons; empty for true and false.
        reader: of the signal.
    """
    is_long = isinstance(value, Comparison)
    compares = any(getattr(written, bound) is not None for bound in _BOUNDS)
    asks_labels = isinstance(value, bool) or any(getattr(written, name) is not None for name in _LABELS)
    if not (compares or asks_labels):
        yield (), "an empty test"
    if written.confidence is not None and compares and not asks_labels:
        yield ("confidence",), "only for labels, and none is asked for"
    if compares and not reader.numeric:
        yield (), f"{reader.name!r} is no number: it has labels{_listed(reader)}"
    elif compares:
        yield from _numbers(written, reader, is_long=is_long)
    if asks_labels and reader.known is not None:
        yield from _labels(value, written, reader)
    if asks_labels:
        yield from _opposed(written)


def _numbers(written: Comparison, reader: Reader, *, is_long: bool) -> Iterator[Found]:
    stated = [(bound, number) for bound in _BOUNDS if (number := getattr(written, bound)) is not None]
    # What a head says of a text is a probability.
    outside = [bound for bound, number in stated if isinstance(reader, Head) and not 0 <= number <= 1]
    for bound in outside if is_long else outside[:1]:
        yield (bound,) if is_long else (), f"{reader.name!r} is in [0, 1]"
    if not (is_long or outside) and isinstance(reader, Head):
        yield (), f"{reader.name!r} is hardly ever exactly that: compare it, e.g. {{at_least: {stated[0][1]:g}}}"
    lower = max(((number, bound) for bound, number in stated if bound in ("above", "at_least")), key=_low, default=None)
    upper = min(((number, bound) for bound, number in stated if bound in ("below", "at_most")), key=_high, default=None)
    if lower is None or upper is None:
        return
    is_strict = lower[1] == "above" or upper[1] == "below"
    if lower[0] > upper[0] or (lower[0] == upper[0] and is_strict):
        at_once = f"{_BOUNDS[lower[1]]} {lower[0]:g} and {_BOUNDS[upper[1]]} {upper[0]:g}"
        yield (), f"no number is {at_once} at once"


def _low(bound: tuple[float, str]) -> tuple[float, bool]:
    return bound[0], bound[1] == "above"


def _high(bound: tuple[float, str]) -> tuple[float, bool]:
    return bound[0], bound[1] == "at_most"


def _labels(
    value: Any,  # noqa: ANN401 - as above
    written: Comparison,
    reader: Reader,
) -> Iterator[Found]:
    known = reader.known or frozenset()
    if not known:
        yield (), f"{reader.name!r} is a number: compare it, such as {{above: 0.5}}"
        return
    if value is False and "no" in known:
        yield (), "YAML reads a bare no as false, which means no label at all: put it in quotes, or write {none_of: ..}"
    for name in _LABELS:
        for place, label in enumerate(getattr(written, name) or ()):
            if label not in known:
                where = (name, place) if isinstance(value, Comparison) else (place,) if isinstance(value, list) else ()
                near = did_you_mean(label, sorted(known)) or _listed(reader)
                yield where, f"{reader.name!r} has no label {label!r}{near}"


def _opposed(written: Comparison) -> Iterator[Found]:
    refused = frozenset(written.none_of or ())
    wanted = frozenset(written.any_of or ())
    opposed = (refused & frozenset(written.all_of or ())) or (wanted if wanted <= refused else frozenset())
    if opposed:
        listed = ", ".join(map(repr, sorted(opposed)))
        yield (), f"asks for {listed}, and for the opposite"


def _listed(reader: Reader) -> str:
    some = sorted(reader.known or ())
    return f": {', '.join(some[:_SHOWN])}{', ...' * (len(some) > _SHOWN)}" if some else ""
