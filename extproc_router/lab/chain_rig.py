"""What the benchmark of chains runs on: a router with fallback and cascades, and Envoy that walks them.

What is compared goes through one Envoy: one model alone, a chain whose first model refuses, a cascade whose first
answer is accepted, and one whose first answer is doubted, whatever it says. Upstream is an Envoy that answers by
itself. Streams are compared between two Envoys with the same router and a simulated server: one has the verifier, one
knows of none.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import yaml

from extproc_router import wiring
from extproc_router.envoyconf import render
from extproc_router.lab import envoy_file, load, stack, upstream
from extproc_router.lab.first_chunk import first_chunks
from extproc_router.lab.rig import Running, progress
from extproc_router.lab.simulated import simulated
from extproc_router.lab.simulation import openai_completions, saying
from extproc_router.lab.simulation.asked import Asked
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.lab.load import Result

SINGLE, REFUSED = "one model", "first refused: second"
ACCEPTED, ESCALATED = "cascade, accepted", "cascade, escalated"
CASES = (SINGLE, REFUSED, ACCEPTED, ESCALATED)
"""Each is a rule, which matches prompts that begin with the case's word."""
STREAMED = "streamed"
PROMPT_TOKENS, ANSWER_TOKENS = 64, 64
PROMPTS = 256
WARM_UP_SECONDS = 1.0
# A stream's tokens come one by one, so that its first chunk is not its whole.
STREAM_TOKENS, STREAM_TOKENS_PER_SECOND = 4, 400

_ALONE, _DOWN, _JUDGED, _STREAMING = "alone", "down", "judged", "streaming"
_MODELS = (_ALONE, _DOWN, _JUDGED, _STREAMING)
_USES = {
    SINGLE: [_ALONE],
    REFUSED: [_DOWN, _ALONE],
    ACCEPTED: [_JUDGED, _ALONE],
    ESCALATED: [_JUDGED, _ALONE],
    STREAMED: [_STREAMING, _ALONE],
}
_ACCEPT_AT = {ACCEPTED: 0.0, ESCALATED: 1.0}


class ChainRig(Running):
    """Upstream, simulated server, router and two Envoys, running while the block lasts."""

    def _start(self) -> None:
        self._directory = directory = self.enter_context(stack.workspace())
        written = _save(directory / "router.yaml", cascades=True)
        unjudged = wiring.read_config(_save(directory / "without.yaml", cascades=False))
        self.router = router = self.enter_context(stack.router(directory, config=written))
        clusters = {**self._models(), "extproc_router": f"unix:{router.socket}"}
        judging = {**clusters, render.VERIFIER: f"unix:{router.verifier}"}
        base = envoy_file.rendered(wiring.read_config(written))
        self.envoy = self.enter_context(stack.envoy(directory, clusters=judging, base=base))
        base = envoy_file.rendered(unjudged)
        self._without = self.enter_context(stack.envoy(directory, clusters=clusters, base=base, name="without"))
        self._bodies = {
            case: load.bodies(
                directory / word(case), model="auto", tokens=PROMPT_TOKENS, count=PROMPTS, first=word(case)
            )
            for case in CASES
        }

    def _models(self) -> dict[str, str]:
        answers = (_answer(judged=False), _answer(judged=True))
        alone, judged = self.enter_context(upstream.running(self._directory, answers))
        pace = (f"--answer-tokens={STREAM_TOKENS}", f"--tokens-per-second={STREAM_TOKENS_PER_SECOND}")
        streaming = self.enter_context(simulated(self._directory, _STREAMING, *pace))
        # Bound, and not listening: nobody else gets the port, and whoever connects is refused.
        down = self.enter_context(socket.socket())
        down.bind(("127.0.0.1", 0))
        ports = (alone, down.getsockname()[1], judged, streaming)
        return {name: f"127.0.0.1:{port}" for name, port in zip(_MODELS, ports, strict=True)}

    def warm_up(self) -> None:
        """Open connections and fill allocators; what is found is thrown away."""
        for case in CASES:
            self._load(case, WARM_UP_SECONDS)
        self.streams(2)

    def round(self, number: int, rounds: int, seconds: float) -> dict[str, Result]:
        """Every case once, one request at a time."""
        found = {}
        for case in CASES:
            progress(f"chains, round {number + 1} of {rounds}: {case}")
            found[case] = self._load(case, seconds)
        progress("")
        return found

    def streams(self, count: int) -> tuple[list[float], list[float]]:
        """Send streams that nobody judges, in turn; returns ms to the first chunk without and with the verifier."""
        contents = (f"{word(STREAMED)} {load.prompt(PROMPT_TOKENS, seed=number)}" for number in range(count))
        bodies = [load.chat("auto", content, stream=True) for content in contents]
        without, beside = first_chunks((self._without.port, self.envoy.port), bodies)
        return without, beside

    def _load(self, case: str, seconds: float) -> Result:
        return load.run(self.envoy.port, self._bodies[case], connections=1, seconds=seconds, scratch=self._directory)


def word(case: str) -> str:
    """What the prompts of a case begin with."""
    return "".join(filter(str.isalpha, case))


def _answer(*, judged: bool) -> str:
    """Return what an upstream says, with log-probabilities where they are asked for."""
    asked = Asked("chat_completions", "upstream", "upstream", {"logprobs": judged}, size=4 * PROMPT_TOKENS)
    said = saying.say(asked, Behaviour(answer="good", answer_tokens=ANSWER_TOKENS), {})
    return json.dumps(openai_completions.chat(asked, said))


def _save(path: Path, *, cascades: bool) -> Path:
    path.write_text(yaml.safe_dump(_document(cascades=cascades), sort_keys=False), encoding="utf-8")
    return path


def _document(*, cascades: bool) -> dict[str, Any]:
    """Return the config: with cascades, or the same rules without."""
    return {
        "models": [{"name": f"{name}-8b", "cluster": name} for name in _MODELS],
        "signals": [{"kind": "keyword", "name": "case", "keywords": {word(case): [word(case)] for case in _USES}}],
        "rules": [
            {
                "name": case,
                "when": {"case": word(case)},
                "use": [f"{name}-8b" for name in names],
                **({"cascade": {"accept_at": _ACCEPT_AT[case]}} if cascades and case in _ACCEPT_AT else {}),
            }
            for case, names in _USES.items()
        ],
        "routing": {"default": f"{_ALONE}-8b", "sticky_by": "none"},
    }
