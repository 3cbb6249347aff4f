"""What deciding costs without the encoder: the policy alone, and the signals that walk through text.

Each is timed in this process, warm, alone; a median over runs, in microseconds.
"""

from __future__ import annotations

import json
import random
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from extproc_router import encoder, signals, wiring
from extproc_router.config import loader
from extproc_router.lab import load, stack
from extproc_router.lab.bench_report import PolicyFigures
from extproc_router.router.readings import Readings
from extproc_router.signals.base import NO_ANSWERS, Answers, Resources, Subject
from extproc_router.types import Answer, HttpRequest, Request, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router
    from extproc_router.types import Encoding

RUNS = 400
RULES, MODELS, KEYWORDS, ROUTES = 50, 20, 500, 20
TEXT_BYTES = 4096


def measure() -> tuple[PolicyFigures, ...]:
    """Time the parts."""
    reader = encoder.load(stack.MODEL)
    resources = wiring.resources(reader)
    text = load.prompt(TEXT_BYTES // 3, seed=1)[:TEXT_BYTES]
    subject = Subject({}, _request(text))
    return (
        PolicyFigures(f"policy, {RULES} rules, {MODELS} models", _policy(wiring.build_router(_config(), reader)), 60.0),
        PolicyFigures(
            f"{KEYWORDS} keywords, 4 KB", _signal("keyword", {"keywords": _keywords()}, resources, subject), 100.0
        ),
        PolicyFigures("structured personal data, 4 KB", _signal("pii", {"names": False}, resources, subject), 300.0),
        PolicyFigures(f"preference, {ROUTES} routes, embedding given", _preference(reader, resources), 100.0),
    )


def _policy(router: Router) -> float:
    """Time rules and strategy over a request whose body was read, each time with no signal read yet."""
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "What is 2 + 2?"}]}).encode()
    opened = router.open(HttpRequest("POST", "/v1/chat/completions", {"x-team": "t0", "x-request-id": "r"}, body), "id")
    policy, terms = router.terms.policy, router.terms
    if isinstance(opened, Answer):
        raise TypeError("the request was answered without rules")

    def prepare() -> Any:  # noqa: ANN401 - what `choose` takes
        return router.situation(replace(opened, readings=Readings(terms.readers, opened.readings.subject)))

    return _time(lambda situation: policy.choose(0, situation), prepare)


def _signal(kind: str, options: dict[str, Any], resources: Resources, subject: Subject) -> float:
    entry = signals.KINDS[kind]
    reader = entry.build(kind, entry.options.model_validate({"kind": kind, **options}), resources)
    return _time(lambda _: reader.read(subject, NO_ANSWERS), lambda: None)


def _preference(reader: encoder.Encoder, resources: Resources) -> float:
    entry = signals.KINDS["preference"]
    routes = [{"name": f"r{i}", "description": f"{load.prompt(12, seed=i)}"} for i in range(ROUTES)]
    built = entry.build("p", entry.options.model_validate({"kind": "preference", "routes": routes}), resources)
    subject = Subject({}, _request("Could you look over the second clause of this agreement?"))
    encodings: dict[str, Encoding] = {
        ask.text: reader.encode(ask.text, (), embedding=True) for ask in built.asks(subject) if hasattr(ask, "text")
    }
    answers = Answers(dict(encodings))
    return _time(lambda _: built.read(subject, answers), lambda: None)


def _time(work: Callable[[Any], object], prepare: Callable[[], Any]) -> float:
    taken = []
    for _ in range(RUNS):
        prepared = prepare()
        start = time.perf_counter_ns()
        work(prepared)
        taken.append(time.perf_counter_ns() - start)
    return median(taken) / 1000


def _request(text: str) -> Request:
    turns = (Turn("user", text),)
    return Request("chat_completions", "auto", (0, 0), turns, stream=False, modalities=frozenset(), tools=False)


def _keywords() -> list[str]:
    letters = random.Random(0)
    return ["".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=letters.randint(4, 12))) for _ in range(KEYWORDS)]


def _config() -> loader.Config:
    """Return a config whose last rule alone matches, by a strategy that weighs all models."""
    models = [
        {
            "name": f"m{i}",
            "cluster": f"c{i}",
            "cost": {"input": 0.1 + i, "output": 0.2 + i},
            "quality": i / MODELS,
            "latency": {"ttft_ms": 100.0 + i, "tokens_per_second": 50.0},
            "context_window": 8192,
        }
        for i in range(MODELS)
    ]
    rules: list[dict[str, Any]] = [
        {
            "name": f"rule {i}",
            "when": {"team": [f"t{i + 1}", f"u{i + 1}"], "length": {"above": i}},
            "use": f"m{i % MODELS}",
        }
        for i in range(RULES - 1)
    ]
    rules.append(
        {"name": "rest", "use": {"pick": "weighted", "weights": {"cost": 1.0, "quality": 1.0, "latency": 1.0}}}
    )
    document = {
        "models": models,
        "signals": [{"kind": "header", "name": "team", "header": "x-team"}],
        "rules": rules,
        "routing": {"default": "m0"},
    }
    return loader.load(json.dumps(document), "bench.yaml")
