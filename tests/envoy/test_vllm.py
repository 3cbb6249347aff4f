"""The chain and the cascade against real vLLM, on this machine's CPU: `make test-vllm`."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI

from extproc_router import wiring
from extproc_router.envoyconf import render
from extproc_router.lab import envoy_file, probes
from extproc_router.lab import stack as lab
from extproc_router.lab.processes import running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.processes import Child

INSTALLED = os.environ.get("EXTPROC_ROUTER_VLLM")
pytestmark = [
    pytest.mark.envoy,
    pytest.mark.skipif(not INSTALLED, reason="needs vLLM, 3.5 GB: make test-vllm"),
]
START_SECONDS = 240.0
SMALL_CONTEXT, LARGE_CONTEXT = 256, 2048
# A random model is never sure: what decides is the threshold.
CONFIG = """
models:
  - {{name: small-8b, cluster: small, cost: {{input: 0.1, output: 0.3}}}}
  - {{name: large-70b, cluster: large, served_name: big, cost: {{input: 0.9, output: 2.7}}}}
rules:
  - {{name: try-small, use: [small-8b, large-70b], cascade: {{accept_at: {accept_at}, first_tokens: 3}}}}
fallback: {{on_context_length: true}}
routing: {{default: small-8b}}
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Child]]:
    directory = tmp_path_factory.mktemp("vllm")
    small, large = probes.free_ports(2)
    with ExitStack() as both:
        started = {}
        for cluster, name, port, context in (
            ("small", "small-8b", small, SMALL_CONTEXT),
            ("large", "big", large, LARGE_CONTEXT),
        ):
            child = both.enter_context(vllm(directory, cluster, name, port, context))
            started[cluster] = (child, port)
        for child, port in started.values():
            wait_until(partial(healthy, port), child, seconds=START_SECONDS)
        ADDRESSES.update({cluster: f"127.0.0.1:{port}" for cluster, (_, port) in started.items()})
        yield {cluster: child for cluster, (child, _) in started.items()}


ADDRESSES: dict[str, str] = {}


@contextmanager
def vllm(directory: Path, cluster: str, name: str, port: int, context: int) -> Iterator[Child]:
    assert INSTALLED
    argv: list[str | Path] = [Path(INSTALLED) / "venv/bin/python", "-m", "vllm.entrypoints.openai.api_server"]
    argv += ["--model", Path(INSTALLED) / "model", "--served-model-name", name, "--host", "127.0.0.1"]
    argv += ["--port", str(port), "--max-model-len", str(context), "--dtype", "float32", "--enforce-eager"]
    env = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    with running(argv, name=f"vllm-{cluster}", directory=directory, env=env) as child:
        yield child


def healthy(port: int) -> bool:
    try:
        return probes.get(port, "/health")[0] == 200
    except OSError:
        return False


@contextmanager
def house(tmp_path: Path, *, accept_at: float) -> Iterator[tuple[OpenAI, lab.Router]]:
    config = tmp_path / "router.yaml"
    config.write_text(CONFIG.format(accept_at=accept_at))
    with lab.workspace() as directory, lab.router(directory, config=config) as router:
        clusters = {"extproc_router": f"unix:{router.socket}", render.VERIFIER: f"unix:{router.verifier}", **ADDRESSES}
        base = envoy_file.rendered(wiring.read_config(config))
        with (
            lab.envoy(directory, clusters=clusters, base=base) as envoy,
            OpenAI(base_url=f"{envoy.url}/v1", api_key="none", max_retries=0, timeout=120) as client,
        ):
            yield client, router


def say(client: OpenAI, prompt: str = "hello", **more: Any) -> Any:
    return client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": prompt}], max_tokens=8, **more
    )


def test_an_accepted_answer_is_the_small_models_own(servers: dict[str, Child], tmp_path: Path) -> None:
    with house(tmp_path, accept_at=0.0) as (client, _):
        answer = say(client)
        assert answer.model == "small-8b"
        assert answer.choices[0].logprobs is None
        assert answer.usage.completion_tokens == 8

        kept = say(client, logprobs=True)
        assert len(kept.choices[0].logprobs.content) == 8

        chunks = list(say(client, stream=True))
        assert {chunk.model for chunk in chunks} == {"small-8b"}
        assert all(choice.logprobs is None for chunk in chunks for choice in chunk.choices)
        assert all(chunk.choices for chunk in chunks)  # the usage was asked for by us alone

        said = client.responses.create(model="auto", input="hello", max_output_tokens=8)
        assert said.model == "small-8b"


def test_a_doubted_answer_is_never_seen(servers: dict[str, Child], tmp_path: Path) -> None:
    with house(tmp_path, accept_at=0.999) as (client, router):
        assert say(client).model == "big"
        assert {chunk.model for chunk in say(client, stream=True)} == {"big"}

        records = [json.loads(line) for line in router.decisions.read_text().splitlines() if "cascade" in line]
        assert records


def test_a_prompt_that_is_too_long_for_the_small_model_moves_on(servers: dict[str, Child], tmp_path: Path) -> None:
    with house(tmp_path, accept_at=0.0) as (client, _):
        assert say(client, "word " * SMALL_CONTEXT).model == "big"


def test_a_server_that_hangs_or_dies_costs_nobody_an_answer(servers: dict[str, Child], tmp_path: Path) -> None:
    with house(tmp_path, accept_at=0.0) as (client, _):
        servers["small"].process.send_signal(signal.SIGKILL)
        servers["small"].process.wait(30)
        assert say(client).model == "big"
