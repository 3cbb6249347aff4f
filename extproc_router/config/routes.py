"""Written rules and the table of domains -> routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.config.conditions import Conditions
from extproc_router.config.domains import DOMAIN, check_domains
from extproc_router.config.rule_schema import Gate
from extproc_router.config.uses import Uses
from extproc_router.config.when import When
from extproc_router.policy.matching import REASONING
from extproc_router.policy.rules import Cascade, Edits, Route, Think
from extproc_router.types import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.config.conditions import Complain, Path
    from extproc_router.config.loader import Config
    from extproc_router.config.rule_schema import Rule, WrittenGate
    from extproc_router.signals.base import Reader

TABLE = "routing.domains"
"""The name of the rules that the table of domains stands for."""

_TWO = 2


class Routes:
    """Compiles the rules of one config.

    Args:
        config: as loaded.
        readers: the signals, by name.
        conditions: compiles what the rules ask.
        complain: told of each mistake.
    """

    def __init__(
        self, config: Config, readers: Mapping[str, Reader], conditions: Conditions, complain: Complain
    ) -> None:
        self._config, self._readers, self._conditions, self._complain = config, readers, conditions, complain
        self._uses = Uses(config.candidates, readers, conditions, complain)

    @property
    def count_tokens(self) -> bool:
        """After `compile`: whether a strategy weighs costs by the length of prompts."""
        return self._uses.count_tokens

    def compile(self) -> Iterator[Route]:
        """Yield every route that could be compiled, in the order in which they are tried."""
        for place, rule in self._config.entries("rules"):
            route = self._rule(rule, ("rules", place))
            if route:
                yield route
        check_domains(self._config, self._readers, self._conditions, self._complain)
        if DOMAIN in self._readers:
            yield from self._table()

    def _rule(self, rule: Rule, path: Path) -> Route | None:
        condition = self._conditions.compile(rule.when, (*path, "when"), guards=False)
        edits = _edits(rule)
        if edits.think is Think.AUTO:
            self._conditions.require(REASONING, (*path, "reasoning"))
        use = self._uses.compile(rule.use, (*path, "use"))
        if use is None:
            return None
        pool, picker = use
        if edits.think is not None and not any(candidate.reasoning for candidate in pool):
            self._complain((*path, "reasoning"), "no model of this rule says how it is told to think (`reasoning`)")
        return Route(
            name=rule.name,
            condition=condition,
            pool=pool,
            picker=picker,
            edits=edits,
            percent=rule.percent,
            by=rule.by,
            shadow=rule.shadow,
            cascade=self._cascade(rule, pool, path),
        )

    def _cascade(self, rule: Rule, pool: Sequence[Candidate], path: Path) -> Cascade | None:
        if rule.cascade is None:
            return None
        if len(pool) < _TWO:
            self._complain((*path, "cascade"), "a second model is needed to take over: this rule has one alone")
        if self._config.written.fallback.attempts < _TWO:
            self._complain((*path, "cascade"), "takes two attempts: `fallback.attempts` is 1")
        return Cascade(rule.cascade.accept_at, rule.cascade.first_tokens)

    def _table(self) -> Iterator[Route]:
        """Yield one route for each model of the table of domains."""
        labels: dict[str, list[str]] = {}
        for label, name in self._config.routing.domains.items():
            labels.setdefault(name, []).append(label)
        names = {candidate.name for candidate in self._config.candidates}
        # `check_domains` has told what is wrong with labels.
        quiet = Conditions(self._readers, {}, lambda *_: None)
        for name, some in labels.items():
            if name not in names:  # the loader has told it
                continue
            use = self._uses.fixed([(("routing", "domains"), name)])
            written = When.model_validate({DOMAIN: {"any_of": some}})
            condition = quiet.compile(written, ("routing", "domains"), guards=False)
            if use:
                yield Route(TABLE, condition, *use, reason=Reason.DOMAIN)


def _edits(rule: Rule) -> Edits:
    think, override = _think(rule.reasoning)
    return Edits(think, override, rule.max_tokens, rule.system_prefix, rule.include_usage)


def _think(gate: WrittenGate | None) -> tuple[Think | None, bool]:
    if gate is None:
        return None, False
    mode = gate.mode if isinstance(gate, Gate) else gate
    override = isinstance(gate, Gate) and gate.override_client
    if isinstance(mode, bool):
        return (Think.ON if mode else Think.OFF), override
    return Think(mode), override
