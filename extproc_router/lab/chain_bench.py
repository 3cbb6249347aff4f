"""The benchmark of chains: what a second model costs where the first refuses, or its answer is judged."""

from __future__ import annotations

import json
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from extproc_router import encoder, wiring
from extproc_router.config import loader
from extproc_router.extproc import codec
from extproc_router.extproc.commands import Mutate, Phase
from extproc_router.lab import load, stack
from extproc_router.lab.chain_report import ChainCase, ChainFigures, DecisionCost, FirstChunk
from extproc_router.lab.chain_rig import CASES, SINGLE
from extproc_router.types import Answer, HttpRequest, Mutation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.lab.chain_rig import ChainRig
    from extproc_router.lab.load import Result
    from extproc_router.router import Router

DECISIONS = 2000
STREAMS = 150
TOKENS = 64
_MODELS = 3


def measure(rig: ChainRig, *, rounds: int, seconds: float) -> ChainFigures:
    """Take all figures.

    Args:
        rig: running.
        rounds: each has every case once, at one time.
        seconds: of one case in one round.

    Raises:
        StartupError: the load generator failed, or a stream was no 200.
    """
    decisions = decision_costs()
    rig.warm_up()
    measured = [rig.round(number, rounds, seconds) for number in range(rounds)]
    without, beside = rig.streams(STREAMS)
    streams = FirstChunk(
        median(without), median(beside), median(after - before for before, after in zip(without, beside, strict=True))
    )
    return ChainFigures(_combine(measured), streams, decisions)


def _combine(measured: Sequence[dict[str, Result]]) -> tuple[ChainCase, ...]:
    figures = []
    for case in CASES:
        pairs = [(results[case], results[SINGLE]) for results in measured]
        figures.append(
            ChainCase(
                name=case,
                requests=sum(result.requests for result, _ in pairs),
                errors=sum(result.errors for result, _ in pairs),
                p50_ms=median(result.p50_ms for result, _ in pairs),
                p99_ms=median(result.p99_ms for result, _ in pairs),
                added_p50_ms=median(result.p50_ms - single.p50_ms for result, single in pairs),
                ratio_p50=median(result.p50_ms / single.p50_ms for result, single in pairs),
            )
        )
    return tuple(figures)


def decision_costs() -> tuple[DecisionCost, ...]:
    """Time deciding and writing down what Envoy is to walk, in this process, in turn: one model, three, a cascade."""
    reader = encoder.load(stack.MODEL)
    routers = {
        "one model": wiring.build_router(_config(models=1), reader),
        f"chain of {_MODELS}": wiring.build_router(_config(models=_MODELS), reader),
        f"cascade, then {_MODELS - 1} more": wiring.build_router(_config(models=_MODELS, cascade=True), reader),
    }
    request = HttpRequest("POST", load.CHAT, {"x-request-id": "r"}, load.chat("auto", load.prompt(TOKENS, seed=1)))
    taken: dict[str, list[int]] = {name: [] for name in routers}
    for _ in range(DECISIONS):
        for name, router in routers.items():
            start = time.perf_counter_ns()
            _decide(router, request)
            taken[name].append(time.perf_counter_ns() - start)
    return tuple(DecisionCost(name, median(times) / 1000) for name, times in taken.items())


def _decide(router: Router, request: HttpRequest) -> bytes:
    answer = router.read(request, "id")
    if not isinstance(answer, Answer) or not isinstance(answer.action, Mutation):
        raise TypeError("the request was not sent to a model at once")
    return codec.encode(Mutate(Phase.REQUEST_BODY, answer.action, answer.decision))


def _config(*, models: int, cascade: bool = False) -> loader.Config:
    names = [f"m{number}" for number in range(models)]
    rule: dict[str, Any] = {"name": "all", "use": names, **({"cascade": {"accept_at": 0.5}} if cascade else {})}
    document = {
        "models": [{"name": name, "cluster": name, "served_name": f"served-{name}"} for name in names],
        "rules": [rule],
        "routing": {"default": names[0], "sticky_by": "none"},
    }
    return loader.load(json.dumps(document), "bench.yaml")
