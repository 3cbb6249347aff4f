"""What a case gives its signals to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.cases.schema import Reading
from extproc_router.explaining.given import Given
from extproc_router.signals.base import YES
from extproc_router.signals.plain import shown
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from extproc_router.signals.base import Reader


def given(signals: Mapping[str, Any], readers: Mapping[str, Reader]) -> Iterator[Given]:
    """Yield a reader for each signal of a case; all of them have to exist."""
    for name, value in signals.items():
        yield Given(_signal(name, reading_of(value), readers[name]), readers[name])


def reading_of(value: Any) -> Reading:  # noqa: ANN401 - one of `schema.Given`'s shapes
    """Return a reading in full, however short it was written."""
    if isinstance(value, Reading):
        return value
    if isinstance(value, list):
        return Reading(labels=value)
    if isinstance(value, bool | str):
        return Reading(label=value)
    return Reading(number=value)


def labels_of(reading: Reading) -> frozenset[str]:
    """Return its labels."""
    one = YES if reading.label is True else reading.label
    return frozenset(reading.labels) | (frozenset({one}) if isinstance(one, str) else frozenset())


def _signal(name: str, reading: Reading, reader: Reader) -> Signal:
    if reading.absent is not None:
        return Signal(name, "", 0.0, absent=reading.absent)
    labels, number = labels_of(reading), reading.number
    if isinstance(reading.label, bool):
        # A head's flag comes with its probability.
        number = float(reading.label) if number is None and reader.numeric else number
        return Signal(name, YES if reading.label else "no", reading.confidence, labels, number)
    label = shown(labels) if labels or number is None else f"{number:g}"
    return Signal(name, label, reading.confidence, labels, number)
