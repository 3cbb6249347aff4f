"""The router late, frozen, killed, overloaded or unable to start: never a hang, never an empty body upstream."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab import stack as lab
from extproc_router.lab.envoy_file import with_ext_proc
from extproc_router.lab.simulator import simulators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

# What Envoy itself writes in place of a name that the default cluster does not serve.
DEFAULT = "small-8b"
RESTRICTED = [("x-privacy-tier", "restricted")]
HANGING = (sys.executable, Path(__file__).with_name("hanging_router.py"))


@contextmanager
def house_with(
    make_house: type[House],
    *,
    limits: dict[str, int] | None = None,
    hanging: bool = False,
    message_timeout: str = "0.5s",
) -> Iterator[House]:
    """A house of its own, for a test that breaks it."""
    with ExitStack() as parts:
        directory = parts.enter_context(lab.workspace())
        config = directory / "router.yaml"
        text = lab.CONFIG.read_text()
        for name, value in (limits or {}).items():
            [line] = [line for line in text.splitlines() if line.startswith(f"  {name}:")]
            text = text.replace(line, f"  {name}: {value}")
        config.write_text(text)
        servers = parts.enter_context(simulators(lab.CLUSTERS))
        router = parts.enter_context(lab.router(directory, config=config, program=HANGING if hanging else None))
        clusters = {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
        clusters["extproc_router"] = f"unix:{router.socket}"
        envoy = parts.enter_context(
            lab.envoy(
                directory,
                clusters=clusters,
                change=lambda bootstrap: with_ext_proc(bootstrap, message_timeout=message_timeout),
            )
        )
        house = make_house(lab.Stack(directory, servers, router, envoy, {}))
        yield house
        house.close()
        router.child.kill()


def test_an_encoder_that_hangs_is_shed_at_the_deadline_and_then_at_the_door(make_house: type[House]) -> None:
    with house_with(make_house, hanging=True, limits={"encoder_queue": 1}) as house:
        replies = [house.post(house.chat()), house.post(house.chat()), house.post(house.chat(), RESTRICTED)]

        assert [reply.status for reply in replies] == [200, 200, 200]
        decisions = [house.decision(reply.headers["x-request-id"]) for reply in replies]
        assert [decision["reason"] for decision in decisions] == ["shed", "shed", "shed"]
        assert [decision["model"] for decision in decisions] == ["small-8b"] * 3
        assert house.metric("extproc_router_sheds_total", cause="timeout") == 1
        assert house.metric("extproc_router_sheds_total", cause="overloaded") == 2
        assert [request.cluster for request in house.received] == ["small"] * 3
        # A client that names its model needs no encoder.
        assert house.post(house.chat(model="code-32b")).status == 200
        assert house.received[-1].cluster == "code"


def test_a_full_queue_sheds_and_serves_on(make_house: type[House]) -> None:
    with house_with(make_house, limits={"encoder_queue": 1}) as house, ThreadPoolExecutor(24) as clients:
        text = "Describe the thermodynamic cycle of an engine. " * 30
        replies = list(clients.map(lambda number: house.post(house.chat(f"{number} {text}")), range(240)))

        assert {reply.status for reply in replies} == {200}
        shed = house.metric("extproc_router_sheds_total", cause="overloaded")
        assert shed > 0
        assert shed < 240


def test_a_router_later_than_envoys_patience_is_left_out(make_house: type[House]) -> None:
    with house_with(make_house, hanging=True, limits={"encoder_deadline_ms": 60_000}) as house:
        body = house.chat()

        open_reply, closed_reply = house.post(body), house.post(body, RESTRICTED)

        assert (open_reply.status, closed_reply.status) == (200, 503)
        assert closed_reply.json()["error"]["code"] == "router_unavailable"
        assert (house.only().cluster, house.only().body) == ("small", house.chat(model=DEFAULT))


def test_a_frozen_router_is_left_out_and_taken_back(make_house: type[House]) -> None:
    with house_with(make_house) as house:
        pid, body = house.stack.router.child.pid, house.chat(model="code-32b")
        os.kill(pid, signal.SIGSTOP)
        try:
            replies = [house.post(body), house.post(body, chunked=True), house.send("GET", "/v1/models")]
            closed = house.post(body, RESTRICTED)
        finally:
            os.kill(pid, signal.SIGCONT)

        assert [reply.status for reply in replies] == [200, 200, 200]
        assert closed.status == 503
        assert [(request.cluster, request.body) for request in house.received] == [
            ("small", house.chat(model=DEFAULT)),
            ("small", house.chat(model=DEFAULT)),
            ("small", b""),
        ]
        house.clear()
        house.eventually(lambda: house.post(body).status == 200 and house.received[-1].cluster == "code")


@pytest.mark.parametrize("headers", [[], RESTRICTED], ids=["open", "restricted"])
def test_a_router_killed_mid_request_takes_no_request_with_it(
    make_house: type[House], headers: list[tuple[str, str]]
) -> None:
    limits = {"encoder_deadline_ms": 60_000}
    with (
        house_with(make_house, hanging=True, limits=limits, message_timeout="60s") as house,
        ThreadPoolExecutor(1) as client,
    ):
        body = house.chat()
        pending = client.submit(house.post, body, headers)
        house.eventually(lambda: house.metric("extproc_router_encoder_queue_depth") == 1)
        house.stack.router.child.kill()
        reply = pending.result(30)

        if headers:
            assert (reply.status, house.received) == (503, [])
        else:
            assert reply.status == 200
            assert (house.only().cluster, house.only().body) == ("small", house.chat(model=DEFAULT))


def test_a_router_that_is_killed_can_come_back(make_house: type[House]) -> None:
    with house_with(make_house) as house:
        house.stack.router.child.kill()
        assert house.post(house.chat(model="code-32b")).status == 200
        assert house.only().cluster == "small"

        with lab.router(house.stack.directory):
            house.eventually(lambda: house.post(house.chat(model="code-32b")) and house.received[-1].cluster == "code")


def test_sigterm_drains(make_house: type[House]) -> None:
    with house_with(make_house) as house:
        assert house.post(house.chat(model="code-32b")).status == 200
        assert house.stack.router.child.stop() == 0
        assert "draining" in house.stack.router.child.tail()
        assert house.post(house.chat(model="code-32b")).status == 200
        assert sorted(request.cluster for request in house.received) == ["code", "small"]


def test_sigterm_ends_a_router_whose_encoder_hangs(make_house: type[House]) -> None:
    with house_with(make_house, hanging=True) as house:
        assert house.post(house.chat()).status == 200
        assert house.stack.router.child.stop(grace_seconds=5) == 0


@pytest.mark.parametrize("damage", ["a bit of the graph", "the manifest", "the tokenizer", "everything"])
def test_a_corrupt_artefact_is_a_stated_failure_at_start(tmp_path: Path, damage: str) -> None:
    model = tmp_path / "model"
    shutil.copytree(lab.MODEL, model)
    match damage:
        case "a bit of the graph":
            graph = bytearray((model / "stage-1.onnx").read_bytes())
            graph[len(graph) // 2] ^= 1
            (model / "stage-1.onnx").write_bytes(graph)
        case "the manifest":
            (model / "manifest.json").write_text("{")
        case "the tokenizer":
            (model / "tokenizer.json").unlink()
        case _:
            shutil.rmtree(model)

    with (
        lab.workspace() as directory,
        pytest.raises(StartupError, match=r"router ended with status 1:\n(?s:.)*model"),
        lab.router(directory, model=model),
    ):
        pass


def test_a_bad_config_is_a_stated_failure_at_start(tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text(lab.CONFIG.read_text().replace("default: small-8b", "default: small-9b"))

    with (
        lab.workspace() as directory,
        pytest.raises(StartupError, match=r"router ended with status 1:\n(?s:.)*router.yaml:\d+.*small-9b"),
        lab.router(directory, config=config),
    ):
        pass
