"""Two configs over the same requests: which decisions change, and what they may cost.

Each request is decided as the first of its conversation, under either config. Costs are estimates: prices of the
config, tokens of the prompt as the router estimates them, and a completion as long as the request's bound on it, or a
typical one where it has none or a higher one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router import wiring
from extproc_router.bulk.jsonl import Faults, read_lines
from extproc_router.bulk.progress import Progress
from extproc_router.explaining import prompts
from extproc_router.explaining.given import fresh
from extproc_router.explaining.outcome import Outcome, outcome
from extproc_router.policy.base import Situation
from extproc_router.policy.pickers import estimates
from extproc_router.signals import context
from extproc_router.signals.base import Subject
from extproc_router.types import Mutation, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.config.loader import Config
    from extproc_router.encoder import Encoder
    from extproc_router.router import Opened
    from extproc_router.types import Answer

_EXAMPLES = 5


class Verdict(Struct, frozen=True):
    """What one config does with one request.

    Attributes:
        target: name of the model, or what became of it instead.
        outcome: in one word.
        changes: of the body, by name.
        usd: estimated; 0 where no model is reached or the model has no price.
        shed: whether a signal that was needed could not be read.
    """

    target: str
    outcome: Outcome
    changes: tuple[str, ...]
    usd: float
    shed: bool


class Totals(Struct, frozen=True):
    """What one config does with all of them.

    Attributes:
        name: of its file.
        version: of its content.
        models: name -> requests that it would get, for those that get any.
        outcomes: in one word -> requests.
        usd: estimated cost of all.
        unpriced: the models among them that have no price, for which nothing is counted.
        shed: requests that went to the default because a signal could not be read.
    """

    name: str
    version: str
    models: Mapping[str, int]
    outcomes: Mapping[str, int]
    usd: float
    unpriced: tuple[str, ...]
    shed: int


class Move(Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """Requests that went to one place and would go to another; `examples` are their ids, or line numbers."""

    source: str
    target: str
    count: int
    examples: tuple[str, ...]


class Comparison(Struct, frozen=True):
    """What differs.

    Attributes:
        requests: compared.
        bad_lines: that could not be used.
        changed: decisions that differ.
        same_model_other_body: requests that go to the same model with other changes in their body.
        moves: the most frequent first.
    """

    requests: int
    bad_lines: int
    changed: int
    same_model_other_body: int
    moves: tuple[Move, ...]
    before: Totals
    after: Totals


class Side:
    """One config, deciding.

    Args:
        name: of its file.
        config: as loaded.
        encoder: reads prompts for it.
    """

    def __init__(self, name: str, config: Config, encoder: Encoder) -> None:
        self._name, self._config, self._encoder = name, config, encoder
        self._router = wiring.build_router(config, encoder)
        self._models: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._usd = 0.0
        self._shed = 0

    def decide(self, line: prompts.Line) -> Verdict:
        """Decide one request.

        Raises:
            ValueError: the line cannot be sent.
        """
        http = prompts.request(line, self._config.auto[0])
        answer, opened = wiring.decide(fresh(self._router), self._encoder, http)
        word = outcome(answer)
        target = answer.decision.model or word.value
        shed = answer.decision.reason is Reason.SHED
        return Verdict(target, word, answer.decision.changes, self._cost(answer, opened), shed)

    def count(self, verdict: Verdict) -> None:
        """Count a verdict in."""
        self._outcomes[verdict.outcome.value] += 1
        if verdict.outcome is Outcome.ROUTE:
            self._models[verdict.target] += 1
        self._usd += verdict.usd
        self._shed += verdict.shed

    def totals(self) -> Totals:
        """Return what was counted."""
        candidates = self._router.terms.policy.candidates
        unpriced = [name for name in self._models if not (candidates[name].cost_input or candidates[name].cost_output)]
        return Totals(
            name=self._name,
            version=self._config.version,
            models=dict(self._models.most_common()),
            outcomes=dict(self._outcomes.most_common()),
            usd=self._usd,
            unpriced=tuple(sorted(unpriced)),
            shed=self._shed,
        )

    def _cost(self, answer: Answer, opened: Opened | None) -> float:
        """Estimate what the request costs as it goes on: with the prefix and the bound that a rule gave it."""
        if opened is None or not answer.decision.model or not isinstance(answer.action, Mutation):
            return 0.0
        sent = opened.request if answer.action.body is None else opened.dialect.read(answer.action.body)
        situation = Situation(
            api=sent.api,
            tokens=context.size(Subject({}, sent)),
            max_tokens=sent.max_tokens,
            modalities=sent.modalities,
            tools=sent.tools,
            signal=opened.readings.read,
            key=lambda _: None,
        )
        candidate = self._router.terms.policy.candidates[answer.decision.model]
        return estimates.costs((candidate,), situation)[0]


def compare(before: Side, after: Side, data: Path) -> tuple[Comparison, Faults]:
    """Decide every request of a file under two configs.

    Args:
        before: the config that is there.
        after: the one that may come.
        data: JSON Lines as `prompts` has them, plain or gzipped.

    Returns:
        What differs; and the lines that could not be used.

    Raises:
        StartupError: the file cannot be read.
    """
    faults = Faults(str(data), strict=False)
    moves: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], list[str]] = {}
    requests = other_body = 0
    with Progress("deciding", None) as progress:
        for number, text in progress.over(read_lines(data)):
            try:
                line = prompts.read(text)
                was, now = before.decide(line), after.decide(line)
            except ValueError as error:
                faults.add(number, str(error))
                continue
            requests += 1
            before.count(was)
            after.count(now)
            if was.target == now.target:
                other_body += was.changes != now.changes
                continue
            pair = (was.target, now.target)
            moves[pair] += 1
            if len(some := examples.setdefault(pair, [])) < _EXAMPLES:
                some.append(f"line {number}" if line.id is None else str(line.id))
    found = Comparison(
        requests=requests,
        bad_lines=faults.count,
        changed=moves.total(),
        same_model_other_body=other_body,
        moves=tuple(Move(*pair, count, tuple(examples[pair])) for pair, count in moves.most_common()),
        before=before.totals(),
        after=after.totals(),
    )
    return found, faults
