from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extproc_router import encoder, wiring
from extproc_router.config import loader
from extproc_router.encoder import recent
from extproc_router.errors import ArtefactError, ConfigError, ModelFailed, StartupError
from extproc_router.types import Answer, Encoding, HttpRequest, Reason

TEXT = "models: [{name: a, cluster: c}]\nrouting:\n  default: a\n  domains: {math: a}\n"


@pytest.fixture
def build(make_encoder: Any) -> Any:
    return lambda text: wiring.build_router(loader.load(text, "r.yaml"), make_encoder())


def chat(text: str) -> HttpRequest:
    body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
    return HttpRequest("POST", "/v1/chat/completions", {}, body)


def test_a_domain_that_the_artefact_does_not_know_is_a_mistake_at_its_line(build: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        build(TEXT.replace("math", "maths"))
    [mistake] = caught.value.mistakes
    assert (mistake.line, mistake.field) == (4, "routing.domains.maths")
    assert "did you mean 'math'?" in mistake.message


def test_the_artefacts_own_floor_counts_where_the_config_names_none(build: Any) -> None:
    assert build(TEXT).terms.readers["domain"].floor == 0.33
    assert build(TEXT + "  confidence_floor: 0.5\n").terms.readers["domain"].floor == 0.5


def test_a_model_that_is_left_out_means_auto(build: Any) -> None:
    body = b'{"messages": [{"role": "user", "content": "hi"}]}'
    assert not isinstance(build(TEXT).read(HttpRequest("POST", "/v1/chat/completions", {}, body), "id"), Answer)


def test_a_missing_config_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        wiring.read_config(tmp_path / "none.yaml")
    with pytest.raises(StartupError, match="directory"):
        wiring.read_config(tmp_path)
    with pytest.raises(StartupError, match="null"):
        wiring.read_config(tmp_path / "a\0b")


def test_a_missing_artefact_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="none"):
        wiring.load_encoder(tmp_path / "none")


def test_how_much_is_remembered_is_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[int] = []

    class Double:
        def warm_up(self) -> None:
            pass

    def load(_: Path, *, remember: int) -> Double:
        asked.append(remember)
        return Double()

    monkeypatch.setattr(encoder, "load", load)
    wiring.load_encoder(tmp_path)
    wiring.load_encoder(tmp_path, remember=0)
    assert asked == [recent.ENTRIES, 0]


def test_a_request_is_decided_without_a_server(build: Any, make_encoder: Any) -> None:
    router = build(TEXT)
    answer, opened = wiring.decide(router, make_encoder(), chat("why?"))
    assert answer.decision.reason is Reason.DOMAIN
    assert opened is not None
    answer, _ = wiring.decide(router, make_encoder(), chat("bad"))
    assert answer.decision.reason is Reason.SHED
    listed, opened = wiring.decide(router, make_encoder(), HttpRequest("GET", "/v1/models", {}, None))
    assert (listed.decision.reason, opened) == (Reason.LISTED, None)


def test_signals_that_ask_a_language_model_are_absent_without_a_server(make_encoder: Any) -> None:
    text = """
models: [{name: a, cluster: c}, {name: b, cluster: c}]
signals:
- name: task
  kind: preference
  routes: [{name: sql, description: writing SQL}, {name: law, description: reading contracts}]
  matcher: {url: "http://127.0.0.1:9", model: m, deadline_ms: 70}
rules: [{name: sql, when: {task: sql}, use: b}]
routing: {default: a}
"""

    class Embedding(make_encoder):  # type: ignore[misc]  # a fixture
        def embed(self, text: str) -> Any:
            return np.array([1.0, 0.0] if "SQL" in text else [0.0, 1.0])

        def encode(self, text: str, signals: frozenset[str], *, embedding: bool) -> Encoding:
            assert embedding
            return Encoding({}, {}, 1, windowed=False, embedding=tuple(self.embed(text).tolist()))

    config, reads = loader.load(text, "r.yaml"), Embedding()
    answer, opened = wiring.decide(wiring.build_router(config, reads), reads, chat("Fix my SQL"))
    assert answer.decision.model == "b"
    assert opened is not None
    assert isinstance(opened.readings.answers.said["task"], ModelFailed)


TOKENIZER = """
models:
- {name: a, cluster: c, context_window: 100, tokenizer: tokenizer.json}
- {name: b, cluster: c, context_window: 100000, adapters: [{name: b-lora}], tokenizer: tokenizer.json}
- {name: d, cluster: c}
rules: [{name: all, use: [a, b]}]
routing: {default: b}
"""
SHIPPED = Path(__file__).parents[2] / "models/minilm-l4-router"


def test_a_prompt_near_a_window_is_counted_with_the_models_tokenizer(tmp_path: Path, make_encoder: Any) -> None:
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)
    path = tmp_path / "router.yaml"
    path.write_text(TOKENIZER)
    config = wiring.read_config(path)
    counters = wiring.counters(config)
    assert counters.keys() == {"a", "b", "b-lora"}
    assert counters["a"] is counters["b"]
    reads = make_encoder()
    router = wiring.build_router(config, reads)
    chosen = [wiring.decide(router, reads, chat("yes " * n))[0].decision.model for n in (96, 97)]
    assert chosen == ["a", "b"]  # and four between the turns


def test_a_tokenizer_that_cannot_be_read_is_a_mistake_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "router.yaml").write_text(TOKENIZER)
    with pytest.raises(ConfigError) as caught:
        wiring.counters(wiring.read_config(tmp_path / "router.yaml"))
    assert {(mistake.line, mistake.field) for mistake in caught.value.mistakes} == {
        (3, "models.0.tokenizer"),
        (4, "models.1.tokenizer"),
    }
