"""The domains that a config names beside its rules: in the table of domains and in tables of qualities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.config.meaning import did_you_mean
from extproc_router.config.models import DEFAULT_QUALITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.config.conditions import Complain, Conditions, Path
    from extproc_router.config.loader import Config
    from extproc_router.signals.base import Reader

DOMAIN = "domain"
"""The signal that tells them."""


def check_domains(config: Config, readers: Mapping[str, Reader], conditions: Conditions, complain: Complain) -> None:
    """Find domains that the signal does not know, and a table that has no signal to go by.

    Args:
        config: as loaded.
        readers: the signals, by name.
        conditions: knows why a signal is lacking.
        complain: told of each mistake.
    """
    if config.routing.domains:
        conditions.require(DOMAIN, ("routing", "domains"))
    reader = readers.get(DOMAIN)
    if reader is None or reader.known is None:
        return
    known = sorted(reader.known)
    for path, label in _named(config):
        if label not in reader.known:
            near = did_you_mean(label, known) or f"; there is {', '.join(known)}" * bool(known)
            complain(path, f"unknown domain {label!r}{near}")


def _named(config: Config) -> Iterator[tuple[Path, str]]:
    for label in config.routing.domains:
        yield ("routing", "domains", label), label
    for place, model in enumerate(config.written.models):
        yield from _qualities(model.quality, ("models", place, "quality"))
        for inner, adapter in enumerate(model.adapters):
            yield from _qualities(adapter.quality, ("models", place, "adapters", inner, "quality"))


def _qualities(quality: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(quality, dict):
        for label in quality:
            if label != DEFAULT_QUALITY:
                yield (*path, label), label
