"""What a rule uses -> the models that it may choose, and the strategy that chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.config.domains import DOMAIN
from extproc_router.config.meaning import did_you_mean
from extproc_router.config.rule_schema import Tags
from extproc_router.policy import pickers
from extproc_router.policy.base import Scope
from extproc_router.policy.pickers import static

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.config.conditions import Complain, Conditions, Path
    from extproc_router.policy.base import Picker
    from extproc_router.signals.base import Reader

    Use = tuple[tuple[Candidate, ...], Picker]

_COUNTING = frozenset({"cheapest_above", "weighted"})
_STATIC = static.Options(pick="static")


class Uses:
    """Compiles what the rules of one config use.

    Args:
        candidates: all models.
        readers: the signals, by name.
        conditions: knows why a signal is lacking.
        complain: told of each mistake.

    Attributes:
        count_tokens: whether a strategy weighs costs by the length of prompts.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        readers: Mapping[str, Reader],
        conditions: Conditions,
        complain: Complain,
    ) -> None:
        self._candidates = tuple(candidates)
        self._by_name = {candidate.name: candidate for candidate in candidates}
        self._readers, self._conditions, self._complain = readers, conditions, complain
        self.count_tokens = False

    def compile(self, use: Any, path: Path) -> Use | None:  # noqa: ANN401 - one of the variants of `rule_schema.WrittenUse`
        """Compile one; None where it has a mistake."""
        if isinstance(use, str):
            return self.fixed([(path, use)])
        if isinstance(use, list):
            return self.fixed(_listed(use, path))
        self.count_tokens = self.count_tokens or use.pick in _COUNTING
        pool = self._pool(use, path)
        if pool is None or not self._has_number(use, path):
            return None
        try:
            return pool, pickers.KINDS[use.pick].build(use, self._scope(pool))
        except ValueError as error:
            # Strategies begin with the member at fault, where it is one.
            member, colon, message = str(error).partition(": ")
            is_member = bool(colon) and member in type(use).model_fields
            self._complain((*path, member) if is_member else path, message if is_member else str(error))
            return None

    def fixed(self, named: Iterable[tuple[Path, str]]) -> Use | None:
        """Compile models in a fixed order, each with the place where it is named; None where one is none."""
        pool = self._models(named)
        return (pool, pickers.KINDS["static"].build(_STATIC, self._scope(pool))) if pool else None

    def _scope(self, pool: tuple[Candidate, ...]) -> Scope:
        return Scope(
            pool,
            signals=frozenset(self._readers),
            numbers=frozenset(name for name, reader in self._readers.items() if reader.numeric),
            domain_floor=self._readers[DOMAIN].floor if DOMAIN in self._readers else 0.0,
        )

    def _pool(self, use: Any, path: Path) -> tuple[Candidate, ...] | None:  # noqa: ANN401 - as above
        """Return what a strategy may choose from: what `among` says, else the models in its options, else all."""
        named = tuple(_named(use, path))
        known = self._models(named)
        if known is None:
            return None
        if isinstance(use.among, Tags):
            return self._tagged(use.among.tags, (*path, "among", "tags"))
        if use.among is not None:
            return self._models(_listed(use.among, (*path, "among")))
        return known if use.pick in ("threshold", "split") else self._candidates

    def _tagged(self, tags: Sequence[str], path: Path) -> tuple[Candidate, ...] | None:
        every = sorted(frozenset().union(*(candidate.tags for candidate in self._candidates)))
        strange = [(place, tag) for place, tag in enumerate(tags) if tag not in every]
        for place, tag in strange:
            self._complain((*path, place), f"no model has the tag {tag!r}{did_you_mean(tag, every)}")
        pool = tuple(candidate for candidate in self._candidates if candidate.tags.issuperset(tags))
        if not (pool or strange):
            self._complain(path, f"no model has all of the tags {', '.join(tags)}")
        return pool or None

    def _models(self, named: Iterable[tuple[Path, str]]) -> tuple[Candidate, ...] | None:
        """Find models; None where one is none, or is named twice."""
        found: dict[str, Candidate] = {}
        good = True
        for path, name in named:
            if name in self._by_name and name not in found:
                found[name] = self._by_name[name]
                continue
            good = False
            near = did_you_mean(name, self._by_name)
            self._complain(path, f"duplicate {name!r}" if name in found else f"unknown model {name!r}{near}")
        return tuple(found.values()) if good else None

    def _has_number(self, use: Any, path: Path) -> bool:  # noqa: ANN401 - as above
        """Whether the signal that a strategy reads, if it reads one, is there and a number."""
        if use.pick != "threshold":
            return True
        reader = self._conditions.require(use.signal, (*path, "signal"))
        if reader is not None and not reader.numeric:
            self._complain((*path, "signal"), f"{use.signal!r} is no number")
        return reader is not None and reader.numeric


def _listed(names: Sequence[str], path: Path) -> Iterator[tuple[Path, str]]:
    for place, name in enumerate(names):
        yield (*path, place), name


def _named(use: Any, path: Path) -> Iterator[tuple[Path, str]]:  # noqa: ANN401 - as above
    """Yield the models that a strategy's own options name."""
    if use.pick == "threshold":
        yield (*path, "strong"), use.strong
        yield (*path, "weak"), use.weak
    elif use.pick in ("split", "hash"):
        member = "shares" if use.pick == "split" else "weights"
        for name in getattr(use, member):
            yield (*path, member, name), name
