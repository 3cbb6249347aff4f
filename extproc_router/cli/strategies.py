"""The strategies that `evaluate` can score beside the baselines: the learned ones, and models that are asked.

They are made here, because the evaluation room knows neither learning nor training.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from extproc_router.cli.fit import STRATEGIES as LEARNED
from extproc_router.errors import ShedError, StartupError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from extproc_router.evaluation.arrays import Floats
    from extproc_router.evaluation.outcomes import Outcomes, Pair
    from extproc_router.evaluation.predictors import Predictor
    from extproc_router.evaluation.strategies import Strategy
    from extproc_router.learning.base import Features
    from extproc_router.learning.judge import Kind
    from extproc_router.server.model_client import ModelClient

# Name -> what the model is asked for (learning/judge.py).
ASKED = {"causal-llm": "rating", "llm-judge": "yes_no", "llm-judge-number": "number"}
NAMES = (*LEARNED, *ASKED)
_AT_ONCE = 8
# A row that could not be judged is in the middle: it goes neither way before the others.
_UNJUDGED = 0.5


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what these strategies need to know."""
    group = parser.add_argument_group(
        "strategies that are fitted or asked",
        "A fitted strategy takes scores as quality from 0 to 1. Where some lie outside, the least score found is 0 and "
        "the greatest 1, over the models it learns from. Of a pair's data it learns from the pair and from every other "
        "model with enough answers.",
    )
    group.add_argument(
        "--judge-url", metavar="URL", help="a listener of Envoy behind which a model answers, for " + ", ".join(ASKED)
    )
    group.add_argument("--judge-model", default="judge", metavar="NAME", help="what that model is called there")
    group.add_argument(
        "--judge-seconds", type=float, default=10.0, metavar="S", help="deadline of one question (default: %(default)s)"
    )
    group.add_argument(
        "--cache",
        type=Path,
        default=Path("out/outcomes"),
        metavar="DIR",
        help="keeps embeddings (default: %(default)s)",
    )


def for_pairs(args: argparse.Namespace) -> dict[str, Strategy]:
    """Return the strategies between two models that were asked for.

    Raises:
        StartupError: a model is to be asked, and nobody said where.
    """
    reader = _Reader(args)
    found: dict[str, Strategy] = {name: _Learned(name, reader).need for name in args.strategies if name in LEARNED}
    for name in args.strategies:
        if name in ASKED:
            if not args.judge_url:
                raise StartupError(f"{name} asks a model: say where with --judge-url")
            found[name] = _Asked(name, args).need
    return found


def for_many(args: argparse.Namespace) -> dict[str, Predictor]:
    """Return the strategies among many models that were asked for."""
    reader = _Reader(args)
    return {name: _Learned(name, reader).quality for name in args.strategies if name in LEARNED}


class _Reader:
    """Reads the prompts once for all strategies."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._model, self._cache = args.model, args.cache
        self._texts: Sequence[str] = ()
        self._features: Features | None = None

    def features(self, texts: Sequence[str]) -> Features:
        from extproc_router.bulk.progress import Progress  # noqa: PLC0415 - heavy
        from extproc_router.training import outcomes  # noqa: PLC0415 - heavy

        if self._features is None or self._texts is not texts:
            reader = outcomes.open_reader(self._model)
            with Progress("embedding", len(texts)) as progress:
                self._features = outcomes.read_features(texts, reader, cache=self._cache, progress=progress.reach)
            self._texts = texts
        return self._features


class _Learned:
    """A strategy of `fit`, fitted out of fold on the rows at hand."""

    def __init__(self, name: str, reader: _Reader) -> None:
        self._name, self._reader = name, reader

    def need(self, rows: Pair, folds: int, seed: int) -> Floats:
        from extproc_router.learning import crossfit  # noqa: PLC0415 - heavy
        from extproc_router.training.outcomes import question_groups, taught  # noqa: PLC0415 - heavy

        every = rows.outcomes
        pair = {rows.strong_model, rows.weak_model}
        # Another model with a few answers only is no reason to refuse the pair.
        kept = [column for column in taught(every.quality) if every.models[column] not in pair]
        kept += [every.models.index(rows.weak_model), every.models.index(rows.strong_model)]
        kept.sort()
        models = tuple(every.models[column] for column in kept)
        texts = every.texts or ()
        quality = self._out_of_fold(texts, models, every.quality[:, kept], folds, seed)
        fold = crossfit.deal(question_groups(texts), folds, seed)
        return crossfit.need(quality, fold, models.index(rows.strong_model), models.index(rows.weak_model))

    def quality(self, rows: Outcomes, folds: int, seed: int) -> Floats:
        return self._out_of_fold(rows.texts or (), rows.models, rows.quality, folds, seed)

    def _out_of_fold(
        self, texts: Sequence[str], models: tuple[str, ...], scores: Floats, folds: int, seed: int
    ) -> Floats:
        from extproc_router.bulk.progress import Progress  # noqa: PLC0415 - heavy
        from extproc_router.learning import crossfit  # noqa: PLC0415 - heavy
        from extproc_router.learning.strategies import STRATEGIES  # noqa: PLC0415 - heavy
        from extproc_router.training import outcomes  # noqa: PLC0415 - heavy

        features = self._reader.features(texts)
        low, high = outcomes.range_of(scores)
        ready = outcomes.prepare(texts, models, scores, low=low, high=high)
        with Progress(f"fitting {self._name}", folds) as progress:
            return crossfit.out_of_fold(
                STRATEGIES[self._name](), ready, features, folds=folds, seed=seed, after_each=progress.step
            )


class _Asked:
    """A model that is asked about each prompt, through Envoy, within a deadline."""

    def __init__(self, name: str, args: argparse.Namespace) -> None:
        self._name, self._url, self._model, self._seconds = name, args.judge_url, args.judge_model, args.judge_seconds

    def need(self, rows: Pair, folds: int, seed: int) -> Floats:  # noqa: ARG002 - every strategy is called alike
        import numpy as np  # noqa: PLC0415 - heavy

        from extproc_router.learning.judge import Kind  # noqa: PLC0415 - heavy
        from extproc_router.server.model_client import ModelClient  # noqa: PLC0415 - heavy

        client = ModelClient(self._url, deadline_seconds=self._seconds, at_once=_AT_ONCE, queue=_AT_ONCE)
        try:
            return np.asarray(asyncio.run(self._ask(client, Kind(ASKED[self._name]), rows.outcomes.texts or ())))
        finally:
            client.close()

    async def _ask(self, client: ModelClient, kind: Kind, texts: Sequence[str]) -> list[float]:
        from extproc_router.bulk.progress import Progress  # noqa: PLC0415 - heavy
        from extproc_router.learning.judge import Question  # noqa: PLC0415 - heavy

        question, room = Question(model=self._model, kind=kind), asyncio.Semaphore(_AT_ONCE)
        failures: list[str] = []
        with Progress(self._name, len(texts)) as progress:

            async def ask(text: str) -> float:
                async with room:
                    try:
                        need = await client.need(question, text)
                    except ShedError as error:
                        failures.append(error.cause)
                        need = _UNJUDGED
                progress.step()
                return need

            needs = await asyncio.gather(*map(ask, texts))
        if len(failures) == len(texts):
            raise StartupError(f"{self._name}: no question was answered ({', '.join(sorted(set(failures)))})")
        if failures:
            print(f"{self._name}: {len(failures):,} of {len(texts):,} prompts could not be judged", file=sys.stderr)
        return needs
