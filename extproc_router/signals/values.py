"""Values that arrive with a request, in headers and tokens, as labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, TypeAlias

from msgspec import Struct
from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals.plain import shown
from extproc_router.types import Signal

MAX_VALUES = 64
"""Values that one request may have; more and the signal is absent."""

SET = "set"
"""Shown in place of a value that the config does not list."""

Value: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)]


class ValueOptions(Section):
    """What headers and claims have in common."""

    values: Annotated[
        list[Value] | None,
        Field(
            min_length=1,
            max_length=1000,
            description="the values that count, as rules and logs name them; any other gives no label. "
            "Default: every value is a label, and logs say only that there is one",
            examples=[["gold", "silver"]],
        ),
    ] = None
    ignore_case: Annotated[
        bool,
        Field(description="whether `Gold` is `gold`; only with `values`, as which rules and logs spell them then"),
    ] = False


class Values(Struct, frozen=True):
    """Turns the values of a request into a signal.

    Attributes:
        name: of the signal.
        listed: value, folded where case is ignored -> as the config spells it; None where any value counts.
        ignore_case: whether case is ignored.
    """

    name: str
    listed: Mapping[str, str] | None
    ignore_case: bool

    @property
    def known(self) -> frozenset[str] | None:
        """The labels there may be; None where they cannot be listed."""
        return None if self.listed is None else frozenset(self.listed.values())

    def signal(self, values: Iterable[str]) -> Signal:
        """State what was given.

        Raises:
            ValueError: there are more than `MAX_VALUES`.
        """
        given = {self._folded(value) for value in values if value}
        if len(given) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values")
        if self.listed is None:
            return Signal(self.name, SET if given else shown(()), 1.0, frozenset(given))
        labels = frozenset(self.listed[value] for value in given if value in self.listed)
        unlisted = {SET} if len(labels) < len(given) else set()
        return Signal(self.name, shown(labels | unlisted), 1.0, labels)

    def _folded(self, value: str) -> str:
        return value.lower() if self.ignore_case else value


def compiled(name: str, options: ValueOptions) -> Values:
    """Compile what is common to headers and claims.

    Raises:
        ValueError: case is ignored though no value is listed: nothing would say which spelling rules are to use.
    """
    if options.values is None and options.ignore_case:
        raise ValueError("`ignore_case` needs `values`: rules name them as they are listed there")
    if options.values is None:
        return Values(name, None, ignore_case=False)
    fold = str.lower if options.ignore_case else str
    return Values(name, {fold(value): value for value in options.values}, options.ignore_case)
