"""The policy changes while it is used, through real Envoy: no request fails, and none goes back to an older version."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import TYPE_CHECKING, cast

import msgspec
import pytest
from msgspec import structs

from extproc_router.encoder import manifest
from extproc_router.lab import envoy_file, probes, swapping
from extproc_router.lab import stack as lab
from extproc_router.lab.simulator import simulators

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extproc_router.encoder.manifest import Manifest
    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CLIENTS = 3
TEXT = lab.CONFIG.read_text()
OPEN = re.sub(r"privacy: \w+}", "privacy: open}", TEXT.replace("[public, restricted]", "[open, public, restricted]"))


class Site:
    """A running stack whose config file is edited."""

    def __init__(self, house: House, config: Path) -> None:
        self.house, self.config = house, config

    def settles(self, text: str) -> None:
        """Wait until it runs this config."""
        self.house.eventually(lambda: self.runs(text), 60)

    def runs(self, text: str) -> bool:
        version = hashlib.sha256(text.encode()).hexdigest()[:12]
        found = probes.get(self.house.stack.router.metrics_port, "/metrics")[1].decode()
        return f'config_version="{version}"' in found


@pytest.fixture(scope="module")
def site(make_house: type[House]) -> Iterator[Site]:
    with ExitStack() as parts:
        directory = parts.enter_context(lab.workspace())
        config = directory / "config" / "router.yaml"
        config.parent.mkdir()
        swapping.mount(config, TEXT, 0)
        proved = envoy_file.save(envoy_file.load(), directory / "proved.yaml")
        servers = parts.enter_context(simulators(lab.CLUSTERS))
        router = parts.enter_context(lab.router(directory, config=config, arguments=[f"--envoy={proved}"], seconds=60))
        clusters = {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
        clusters["extproc_router"] = f"unix:{router.socket}"
        envoy = parts.enter_context(lab.envoy(directory, clusters=clusters))
        house = make_house(lab.Stack(directory, servers, router, envoy, {}))
        yield Site(house, config)
        house.close()


class Client(threading.Thread):
    """Asks on one connection until told to end; keeps what it got for each request."""

    def __init__(self, house: House, end: threading.Event) -> None:
        super().__init__(daemon=True)
        self.house, self.end = house, end
        self.got: list[tuple[int, str]] = []

    def asks_twice(self) -> None:
        """Wait until one request has begun and ended."""
        seen = len(self.got)
        self.house.eventually(lambda: len(self.got) > seen + 1)

    def run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.house.stack.envoy.port, timeout=20)
        while not self.end.is_set():
            body, headers = self.house.chat(model="code-32b"), {"content-type": "application/json"}
            connection.request("POST", "/v1/chat/completions", body, headers)
            reply = connection.getresponse()
            reply.read()
            self.got.append((reply.status, reply.headers["x-request-id"]))
        connection.close()


def test_nobody_notices_that_the_policy_changes(site: Site) -> None:
    house, end = site.house, threading.Event()
    clients = [Client(house, end) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    editions = [TEXT, *(f"{TEXT}# {number}\n" for number in range(1, 4))]
    for number, text in enumerate(editions[1:], 1):
        if number == 2:
            swapping.rename(site.config, text)
        else:
            swapping.mount(site.config, text, number)
        site.settles(text)
        for client in clients:
            client.asks_twice()
    end.set()
    for client in clients:
        client.join(20)

    written = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in editions]
    house.decision(clients[0].got[-1][1])  # the log is written behind
    for client in clients:
        house.decision(client.got[-1][1])
    log = {line["request_id"]: line for line in lab.read_json_lines(house.stack.router.decisions)}
    for client in clients:
        assert {status for status, _ in client.got} == {200}
        ages = [written.index(log[request]["config_version"]) for _, request in client.got]
        assert ages == sorted(ages)
        assert ages[-1] == len(written) - 1
    assert house.metric("extproc_router_reloads_total", outcome="rejected") == 0


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (TEXT.replace("default: small-8b", "default: nobody"), "routing.default"),
        (TEXT.replace("cluster: code", "cluster: nowhere-near"), "unknown cluster"),
        # With the router down, Envoy sends what is marked `public` to the cluster `small`.
        (OPEN, "router down -> route default -> cluster small"),
    ],
    ids=["a name", "a cluster", "the proof"],
)
def test_what_has_mistakes_or_is_not_proved_is_not_applied(site: Site, bad: str, told: str) -> None:
    house = site.house
    before = house.metric("extproc_router_reloads_total", outcome="rejected")
    good = site.config.read_text()
    swapping.rename(site.config, bad)
    house.eventually(lambda: house.metric("extproc_router_reloads_total", outcome="rejected") > before, 60)
    assert house.metric("extproc_router_config_mistakes") >= 1
    log = house.stack.router.child.log.read_text()
    assert "not applied" in log
    assert told in log
    assert site.runs(good)
    assert house.post(house.chat(model="code-32b")).status == 200

    swapping.rename(site.config, good)
    house.eventually(lambda: house.metric("extproc_router_config_mistakes") == 0, 60)
    assert site.runs(good)


def test_a_head_that_is_added_needs_no_restart(make_house: type[House]) -> None:
    """A config wants a head that the artefact lacks: it waits until the head is there."""
    wanted = TEXT.replace("routing:\n", "rules: [{name: deep, when: {reasoning: true}, use: large-70b}]\nrouting:\n")
    with lab.workspace() as directory:
        model, config = directory / "model", directory / "config" / "router.yaml"
        shutil.copytree(lab.MODEL, model)
        config.parent.mkdir()
        config.write_text(TEXT)
        whole = (model / manifest.FILE_NAME).read_text()
        head = (model / "heads" / "reasoning.json").rename(directory / "reasoning.json")
        swapping.rename(model / manifest.FILE_NAME, _without_head(manifest.read(model), "reasoning"))
        with lab.router(directory, config=config, model=model) as router:
            site = Site(make_house(lab.Stack(directory, {}, router, cast("lab.Envoy", None), {})), config)
            swapping.rename(config, wanted)
            site.house.eventually(lambda: site.house.metric("extproc_router_config_mistakes") > 0)
            assert "reasoning" in router.child.log.read_text()
            head.rename(model / "heads" / "reasoning.json")
            swapping.rename(model / manifest.FILE_NAME, whole)
            site.house.eventually(lambda: site.runs(wanted))
            assert site.house.metric("extproc_router_config_mistakes") == 0


def _without_head(contents: Manifest, head: str) -> str:
    heads = {name: path for name, path in contents.heads.items() if name != head}
    contents = structs.replace(contents, heads=heads)
    contents = structs.replace(contents, version=manifest.content_version(contents))
    return msgspec.json.encode(contents).decode()
