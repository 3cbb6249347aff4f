"""The strategies by the name that `pick` gives them; one file each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from extproc_router.options import Section
from extproc_router.policy.base import Picker, Scope
from extproc_router.policy.pickers import (
    cheapest_above,
    hash,  # noqa: A004  a strategy's name
    least_loaded,
    split,
    static,
    threshold,
    weighted,
)

__all__ = ["KINDS", "Kind"]


class Kind(Struct, frozen=True):
    """One strategy.

    Attributes:
        options: what may be written for it.
        build: takes these options and what they may name; raises ValueError, one sentence, where it cannot work.
    """

    options: type[Section]
    build: Callable[[Any, Scope], Picker]


KINDS: Mapping[str, Kind] = {
    "static": Kind(static.Options, static.build),
    "cheapest_above": Kind(cheapest_above.Options, cheapest_above.build),
    "weighted": Kind(weighted.Options, weighted.build),
    "threshold": Kind(threshold.Options, threshold.build),
    "hash": Kind(hash.Options, hash.build),
    "split": Kind(split.Options, split.build),
    "least_loaded": Kind(least_loaded.Options, least_loaded.build),
}
