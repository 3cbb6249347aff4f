from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

from extproc_router import wiring
from extproc_router.attempts import Heard, Verification
from extproc_router.config import loader
from extproc_router.errors import ConfigError, StartupError
from extproc_router.lab.probes import resident_bytes
from extproc_router.router import Plan
from extproc_router.types import HttpRequest
from extproc_router.wiring import runtimes

SHIPPED = Path(__file__).parents[2] / "models/minilm-l4-router"
TEXT = "models: [{name: a, cluster: c}]\nrouting:\n  default: a\n  domains: {math: a}\n"
FULL = """
metadata: {{edition: "{edition}"}}
models: [{{name: a, cluster: c, context_window: 100, tokenizer: tokenizer.json}}, {{name: b, cluster: c}}]
signals:
- name: task
  kind: preference
  routes: [{{name: sql, description: writing SQL}}, {{name: law, description: reading contracts}}]
  matcher: {{url: "http://127.0.0.1:{port}", model: m, deadline_ms: 70}}
rules: [{{name: sql, when: {{task: sql}}, use: b}}]
routing: {{default: a}}
limits: {{encoder_queue: {queue}, sticky_conversations: {sticky}}}
"""


@pytest.fixture
def make(make_encoder: Any, sinks: Any, tmp_path: Path) -> Any:
    """Build a runtime from `FULL`."""
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)

    others = set(threading.enumerate())

    class Embedding(make_encoder):  # type: ignore[misc]  # a fixture
        def embed(self, text: str) -> Any:
            import numpy as np  # noqa: PLC0415 - here alone

            return np.array([1.0, 0.0])

    encoder = Embedding()

    def build(
        before: Any = None, *, edition: int = 0, port: int = 9, queue: int = 64, sticky: int = 10, reads: Any = encoder
    ) -> Any:
        text = FULL.format(edition=edition, port=port, queue=queue, sticky=sticky)
        config = loader.load(text, str(tmp_path / "router.yaml"))
        return runtimes.build(config, reads, sinks, before=before.parts if before else None)

    def encoders() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "encoder" and thread not in others]

    def ended() -> bool:
        """Whether the encoders' threads end; they were told to."""
        for thread in encoders():
            thread.join(20)
        return not encoders()

    build.other, build.encoders, build.ended = Embedding(), encoders, ended  # type: ignore[attr-defined]
    return build


def test_only_the_heads_that_a_rule_reads_are_asked(make_encoder: Any, sinks: Any) -> None:
    spy = make_encoder()

    async def ask() -> None:
        runtime = wiring.build_runtime(loader.load(TEXT, "r.yaml"), spy, sinks)
        body = json.dumps({"messages": [{"role": "user", "content": "why?"}]}).encode()
        plan = runtime.router.read(HttpRequest("POST", "/v1/chat/completions", {}, body), "id")
        assert isinstance(plan, Plan)
        await runtime.encoder.encode(plan.asks, runtime.bounds)
        runtime.release()

    asyncio.run(ask())
    assert spy.asked == [("why?", frozenset({"domain"}))]


def test_what_a_reload_does_not_touch_goes_on(make: Any) -> None:
    first = make()
    second = make(first, edition=1, queue=7)
    assert second.runtime.encoder is first.runtime.encoder
    assert second.runtime.matchers["task"] is first.runtime.matchers["task"]
    assert second.parts.held is first.parts.held
    assert second.parts.tokenizers == first.parts.tokenizers
    assert (first.runtime.bounds.queue, second.runtime.bounds.queue) == (64, 7)

    first.runtime.release()
    assert make.encoders()
    second.runtime.release()
    assert make.ended()


def test_what_has_changed_is_made_anew(make: Any) -> None:
    first = make()
    second = make(first, port=10, sticky=11, reads=make.other)
    assert second.runtime.encoder is not first.runtime.encoder
    assert second.runtime.matchers["task"] is not first.runtime.matchers["task"]
    assert second.parts.held is not first.parts.held
    first.runtime.release()
    second.runtime.release()
    assert make.ended()


def test_a_tokenizer_is_known_by_its_content(make: Any, tmp_path: Path) -> None:
    first = make()
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text() + "\n")
    second = make(first)
    assert second.parts.tokenizers.keys() != first.parts.tokenizers.keys()
    path.unlink()
    with pytest.raises(ConfigError, match=r"tokenizer\.json"):
        make(second)
    first.runtime.release()
    second.runtime.release()


def test_nothing_is_left_of_one_that_cannot_be_built(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make()

    def refuse(*_: object, **__: object) -> None:
        raise StartupError("no such client")

    monkeypatch.setattr(runtimes, "ModelClient", refuse)
    with pytest.raises(StartupError):
        make(first, port=10, reads=make.other)
    for thread in make.encoders()[1:]:
        thread.join(20)
    assert len(make.encoders()) == 1
    first.runtime.release()
    assert make.ended()


def test_a_thousand_reloads_leave_nothing_behind(make: Any) -> None:
    def counts() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    routers: weakref.WeakSet[Any] = weakref.WeakSet()
    current = make()
    started = counts()
    grown = 0
    for edition in range(1_000):
        if edition == 100:
            grown = resident_bytes(os.getpid())
        # Every tenth brings another artefact, every third another language model.
        reads = make.other if edition // 10 % 2 else current.parts.encoder
        following = make(current, edition=edition, port=9 + edition // 3 % 2, reads=reads)
        current.runtime.release()
        current = following
        routers.add(current.runtime.router)
    assert len(routers) <= 1
    assert len(make.encoders()) <= 2
    current.runtime.release()
    assert make.ended()
    threads, files = counts()
    assert threads < started[0]
    assert files <= started[1]
    assert resident_bytes(os.getpid()) - grown < 32 * 2**20


@pytest.mark.parametrize("ignored", [False, True])
def test_answers_are_judged_by_what_the_config_says(make_encoder: Any, sinks: Any, *, ignored: bool) -> None:
    text = TEXT + "verifier: {ignore: [empty]}\n" * ignored
    runtime = wiring.build_runtime(loader.load(text, "r.yaml"), make_encoder(), sinks)
    asked = Verification("d", "r", "chat_completions", False, 0.0, 8, ("a",), ((1.0, 1.0),))
    assert runtime.judge.judge(Heard(), asked).accepted is ignored
    runtime.release()
