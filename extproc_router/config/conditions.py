"""Written conditions -> conditions that rules evaluate, the cheapest part first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.config.impossible import impossible
from extproc_router.config.meaning import did_you_mean
from extproc_router.config.when import Comparison, When
from extproc_router.policy.conditions import All, Always, AnyOf, Condition, Not, State, Test
from extproc_router.signals.base import Cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from extproc_router.signals.base import Reader

    Path = tuple[str | int, ...]
    Complain = Callable[[Path, str], None]


class Conditions:
    """Compiles conditions.

    Args:
        readers: the signals, by name.
        lacking: signals that could not be built -> why; empty where that has been told already.
        complain: told of each mistake: signals that do not exist, tests that a signal can never pass.
    """

    def __init__(self, readers: Mapping[str, Reader], lacking: Mapping[str, str], complain: Complain) -> None:
        self._readers, self._lacking, self._complain = readers, lacking, complain

    def compile(self, written: When | None, path: Path, *, guards: bool, narrows: bool = False) -> Condition:
        """Compile one.

        Args:
            written: None holds always.
            path: where it stands.
            guards: whether a safety rule asks: a label that is not sure is then no such label, instead of open.
            narrows: whether it is one that restricts: a label below its signal's own floor stays open for it.
        """
        if written is None:
            return Always()
        if not written.model_fields_set:
            self._complain(path, "an empty condition; leave `when` out for a rule that always holds")
        return self._joined(All, list(self._parts(written, path, guards=guards, narrows=narrows)))

    def _parts(self, written: When, path: Path, *, guards: bool, narrows: bool) -> Iterator[Condition]:
        for word, kind in (("all", All), ("any", AnyOf)):
            parts = getattr(written, word)
            if parts is not None:
                inner = [
                    self.compile(part, (*path, word, at), guards=guards, narrows=narrows)
                    for at, part in enumerate(parts)
                ]
                yield self._joined(kind, inner)
        if written.not_ is not None:
            yield Not(self.compile(written.not_, (*path, "not"), guards=guards, narrows=narrows))
        for name, value in (written.__pydantic_extra__ or {}).items():
            reader = self.require(name, (*path, name))
            if reader is not None and guards and reader.cost is Cost.MODEL:
                message = f"{name!r} asks a language model; a safety rule may not, for nothing has been checked yet"
                self._complain((*path, name), message)
            if reader is not None:
                yield from self._tests(value, (*path, name), reader, guards=guards, narrows=narrows)

    def require(self, name: str, path: Path) -> Reader | None:
        """Return a signal that something at `path` reads; where there is none, complain."""
        reader = self._readers.get(name)
        if reader is None:
            self._unknown(name, path)
        return reader

    def is_told(self, name: str) -> bool:
        """Whether a signal is lacking for a reason that has been told already."""
        return self._lacking.get(name) == ""

    def _unknown(self, name: str, path: Path) -> None:
        if name not in self._lacking:
            near = did_you_mean(name, [*self._readers, *self._lacking, "all", "any", "not"])
            self._complain(path, f"unknown signal {name!r}{near}")
        elif self._lacking[name]:
            self._complain(path, self._lacking[name])

    def _tests(
        self,
        value: Any,  # noqa: ANN401 - one of the shapes of `when.Written`
        path: Path,
        reader: Reader,
        *,
        guards: bool,
        narrows: bool,
    ) -> Iterator[Condition]:
        written = value if isinstance(value, Comparison) else _as_comparison(value)
        truth = value if isinstance(value, bool) else None
        floor = reader.floor if written.confidence is None else written.confidence
        # Who writes a confidence says what is sure enough; below the signal's own floor nobody has said anything.
        low = State.NO if guards and not (narrows and written.confidence is None) else State.LOW
        for where, message in impossible(value, written, reader):
            self._complain((*path, *where), message)
        asked: dict[str, Any] = written.model_dump(exclude_none=True, exclude={"none_of", "confidence"})
        labels: dict[str, Any] = {name: frozenset(asked.pop(name)) for name in ("any_of", "all_of") if name in asked}
        if asked or labels or truth is not None:
            yield Test(
                reader.name,
                truth=truth,
                asks_labels=bool(labels) or truth is not None,
                compares=bool(asked),
                floor=floor,
                low=low,
                blank=State.NO if guards else State.LOW,
                **labels,
                **asked,
            )
        if written.none_of is not None:
            yield Not(Test(reader.name, any_of=frozenset(written.none_of), floor=floor, low=low))

    def _joined(self, kind: type[All | AnyOf], parts: Sequence[Condition]) -> Condition:
        if len(parts) == 1:
            return parts[0]

        def cost(part: Condition) -> int:
            return max((self._readers[name].cost for name in part.names), default=0)

        return kind(tuple(sorted(parts, key=cost)))


def _as_comparison(value: Any) -> Comparison:  # noqa: ANN401 - as above
    if isinstance(value, bool):
        return Comparison()
    if isinstance(value, str | list):
        return Comparison(any_of=[value] if isinstance(value, str) else value)
    return Comparison(at_least=value, at_most=value)
