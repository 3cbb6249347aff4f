"""What only a config can tell of cases: whether the models, rules, tiers, signals and labels that they name exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.cases.readings import labels_of, reading_of
from extproc_router.config.meaning import did_you_mean
from extproc_router.signals.base import YES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any

    from extproc_router.cases.loader import Table
    from extproc_router.cases.schema import Case
    from extproc_router.router import Terms
    from extproc_router.signals.base import Reader
    from extproc_router.types import Mistake

_Path = tuple[str | int, ...]
_SHOWN = 20


def mistakes(table: Table, terms: Terms) -> Iterator[Mistake]:
    """Find every name that the config does not have, in file order of the cases."""
    for index, case in enumerate(table.cases):
        for path, message in (*_expected(case, terms), *_given(case, terms.readers)):
            yield table.document.mistake(("cases", index, *path), message)


def _expected(case: Case, terms: Terms) -> Iterator[tuple[_Path, str]]:
    policy, expect = terms.policy, case.expect
    rules = [route.name for route in policy.routes]
    guards = [rule.name for rule in policy.safeguards]
    shadows = [rule.name for rule in policy.safeguards if rule.shadow]
    shadows += [route.name for route in policy.routes if route.shadow]
    yield from _unknown(("expect", "model"), "model", expect.model, policy.candidates)
    yield from _unknown(("expect", "rule"), "rule", expect.rule or None, rules)
    yield from _unknown(("expect", "tier"), "privacy tier", expect.tier, policy.tiers)
    for place, name in enumerate(expect.chain or ()):
        yield from _unknown(("expect", "chain", place), "model", name, policy.candidates)
    for member, told, known in (("safety", expect.safety, guards), ("shadow", expect.shadow, shadows)):
        for place, entry in enumerate(told or ()):
            # A name may have an equals sign itself.
            if entry not in known:
                name = entry.rpartition("=")[0] or entry
                yield from _unknown(("expect", member, place), "rule", name, known)


def _unknown(path: _Path, what: str, name: str | None, known: Collection[str]) -> Iterator[tuple[_Path, str]]:
    if name is not None and name not in known:
        yield path, f"the config has no {what} {name!r}{did_you_mean(name, known)}"


def _given(case: Case, readers: Mapping[str, Reader]) -> Iterator[tuple[_Path, str]]:
    yield from _readings(case.signals, ("signals",), readers)
    for place, entry in enumerate(case.after):
        if not isinstance(entry, str):
            yield from _readings(entry.signals, ("after", place, "signals"), readers)


def _readings(signals: Mapping[str, Any], path: _Path, readers: Mapping[str, Reader]) -> Iterator[tuple[_Path, str]]:
    for name, value in signals.items():
        here = (*path, name)
        reader = readers.get(name)
        if reader is None:
            yield here, f"the config has no signal {name!r}{did_you_mean(name, readers)}"
        else:
            yield from ((here, message) for message in _impossible(value, reader))


def _impossible(value: Any, reader: Reader) -> Iterator[str]:  # noqa: ANN401 - one of `schema.Given`'s shapes
    """Say what this signal never says."""
    reading = reading_of(value)
    labels, known = labels_of(reading), reader.known
    if reading.absent is not None:
        return
    if known is not None:
        for label in sorted(labels - known):
            some = sorted(known)
            listed = f": {', '.join(some[:_SHOWN])}{', ...' * (len(some) > _SHOWN)}" if some else ": it is a number"
            yield f"{reader.name!r} has no label {label!r}{did_you_mean(label, known)}{listed}"
    if reading.number is not None and not reader.numeric:
        yield f"{reader.name!r} is no number: give a label"
    elif reading.number is not None and reading.label is None and known and YES in known:
        yield f"{reader.name!r} is a flag: give true or false, or {{label: true, number: {reading.number:g}}}"
    if not labels and reading.number is None and known is not None and not known:
        yield f"{reader.name!r} is a number: give one"
