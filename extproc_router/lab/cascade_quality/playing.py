"""Prompts go through real Envoy and the router to simulated models; what the clients got, and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from extproc_router import wiring
from extproc_router.envoyconf import render
from extproc_router.errors import StartupError
from extproc_router.lab import envoy_file, load, stack
from extproc_router.lab.cascade_quality.policies import written
from extproc_router.lab.rig import progress
from extproc_router.lab.simulation.saying import RIGHT
from extproc_router.verifier.judged import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from extproc_router.lab.cascade_quality.policies import Policy
    from extproc_router.lab.cascade_quality.prompts import Prompt

SECONDS = 60.0
"""Patience with one answer."""
_OK = 200
_PER_MILLION = 1_000_000


class Served(Struct, frozen=True):
    """What came of one prompt.

    Attributes:
        good: whether the client got a good answer.
        model: whose it was.
        cost: USD, of all attempts.
        escalated: whether a first answer was doubted, and the strong model's served.
        difficulty: as the router read it, in [0, 1]; None where it did not.
        features: what the verifier saw of the first answer; empty where none was judged.
        signs: what spoke against it.
    """

    good: bool
    model: str
    cost: float
    escalated: bool = False
    difficulty: float | None = None
    features: Mapping[str, float] = {}
    signs: tuple[str, ...] = ()


class _Got(Struct, frozen=True):
    """An answer as its client sees it; `tokens` are those of prompt and answer."""

    request_id: str
    model: str
    text: str
    tokens: int


def play(
    name: str, policy: Policy, prompts: Sequence[Prompt], *, prices: Mapping[str, float], servers: Mapping[str, int]
) -> list[Served]:
    """Run the router with a policy and Envoy with its envoy.yaml, and ask every prompt once, one at a time.

    Args:
        name: of the policy, for people who wait.
        policy: what the router decides by.
        prompts: what is asked.
        prices: model -> USD per million tokens.
        servers: cluster -> port of 127.0.0.1.

    Raises:
        StartupError: something does not start, an answer is no 200, or the decision log lacks a prompt.
    """
    with stack.workspace() as directory:
        config = directory / "router.yaml"
        config.write_text(written(policy, prices), encoding="utf-8")
        # What the log has not yet written, it writes when the router ends.
        with stack.router(directory, config=config) as router:
            base = envoy_file.rendered(wiring.read_config(config))
            clusters = {cluster: f"127.0.0.1:{port}" for cluster, port in servers.items()}
            clusters["extproc_router"] = f"unix:{router.socket}"
            if envoy_file.has_cluster(base, render.VERIFIER):
                clusters[render.VERIFIER] = f"unix:{router.verifier}"
            with stack.envoy(directory, clusters=clusters, base=base) as envoy:
                got = _ask_all(name, envoy.port, prompts)
        return _joined(got, router.decisions, prices)


def _ask_all(name: str, port: int, prompts: Sequence[Prompt]) -> list[_Got]:
    got = []
    with closing(HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        for number, prompt in enumerate(prompts, 1):
            progress(f"{name}: {number} of {len(prompts)} prompts")
            got.append(_ask(connection, prompt.text))
    progress("")
    return got


def _ask(connection: HTTPConnection, text: str) -> _Got:
    connection.request("POST", load.CHAT, load.chat("auto", text), {"content-type": "application/json"})
    response = connection.getresponse()
    body = response.read()
    if response.status != _OK:
        raise StartupError(f"a prompt was answered with {response.status}")
    answer = json.loads(body)
    return _Got(
        response.headers.get("x-request-id", ""),
        answer["model"],
        answer["choices"][0]["message"]["content"],
        answer["usage"]["total_tokens"],
    )


def _joined(got: Sequence[_Got], log: Path, prices: Mapping[str, float]) -> list[Served]:
    lines = stack.read_json_lines(log)
    decisions = {line["request_id"]: line for line in lines if "request_id" in line}
    cascades = {line["decision_id"]: line for line in lines if line.get("kind") == "cascade"}
    if missing := sum(each.request_id not in decisions for each in got):
        raise StartupError(f"the decision log lacks {missing} of {len(got)} prompts")
    return [_served(each, decisions[each.request_id], cascades, prices) for each in got]


def _served(
    got: _Got, decision: Mapping[str, Any], cascades: Mapping[str, Mapping[str, Any]], prices: Mapping[str, float]
) -> Served:
    served = Served(
        good=RIGHT in got.text,
        model=got.model,
        cost=got.tokens * prices[got.model] / _PER_MILLION,
        difficulty=next((each["number"] for each in decision["signals"] if each["name"] == "difficulty"), None),
    )
    if not decision.get("cascade"):
        return served
    judged = cascades.get(decision["id"])
    if judged is None or judged["good"] is None:
        raise StartupError("an answer was not judged")
    return Served(
        good=served.good,
        model=served.model,
        cost=sum(attempt["cost_usd"] for attempt in judged["attempts"]),
        escalated=judged["verdict"] == Outcome.ESCALATED,
        difficulty=served.difficulty,
        features=judged["features"],
        signs=tuple(judged["signs"]),
    )
