"""The committed envoy.yaml itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from extproc_router import wiring
from extproc_router.lab import envoy_file
from extproc_router.lab import stack as lab
from extproc_router.lab.probes import envoy_binary, get
from extproc_router.lab.simulator import simulators

if TYPE_CHECKING:
    from pathlib import Path

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy


def test_envoy_accepts_it_without_a_warning() -> None:
    checked = subprocess.run(
        [envoy_binary(), "--mode", "validate", "--config-path", envoy_file.ENVOY_YAML],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
    assert "[warning]" not in checked.stderr
    assert "deprecated" not in checked.stderr.lower()


def test_it_fits_the_quickstart_config() -> None:
    bootstrap, config = envoy_file.load(), wiring.read_config(lab.CONFIG)

    clusters = {cluster["name"] for cluster in bootstrap["static_resources"]["clusters"]}
    assert {candidate.cluster for candidate in config.candidates} <= clusters
    text = envoy_file.ENVOY_YAML.read_text()
    default = next(candidate for candidate in config.candidates if candidate.name == config.routing.default)
    assert f"route: {{cluster: {default.cluster}," in text
    assert f"string_match: {{exact: {config.privacy_tiers[0]}}}, invert_match: true" in text


@pytest.mark.parametrize(
    ("directory", "name", "key", "file"),
    [
        ("envoy", "envoy-config", "envoy.yaml", "envoy.yaml"),
        ("examples", "router-config", "router.yaml", "quickstart.yaml"),
    ],
)
def test_config_maps_are_made_of_files_that_exist(directory: str, name: str, key: str, file: str) -> None:
    folder = envoy_file.REPOSITORY / directory
    [generator] = yaml.safe_load((folder / "kustomization.yaml").read_text())["configMapGenerator"]

    assert generator["name"] == name
    assert [entry.partition("=")[0] for entry in generator["files"]] == [key]
    assert [entry.rpartition("=")[2] for entry in generator["files"]] == [file]
    assert (folder / file).is_file()


def test_a_request_survives_a_replica_that_is_not_ready(house: House) -> None:
    server = house.stack.servers["code"]
    server.status = 503

    reply = house.post(house.chat(model="code-32b"))

    assert reply.status == 503
    assert server.total == 3
    assert house.access(reply.headers["x-request-id"])["attempts"] == 3


@pytest.mark.parametrize("status", [400, 429, 500, 502])
def test_a_model_that_began_to_work_is_not_asked_twice(house: House, status: int) -> None:
    server = house.stack.servers["code"]
    server.status = status

    assert house.post(house.chat(model="code-32b")).status == status
    assert server.total == 1


def test_no_model_server_is_an_error_in_the_apis_shape(tmp_path: Path, make_house: type[House]) -> None:
    with simulators(["small"]) as servers:
        gone = f"127.0.0.1:{servers['small'].port}"
    clusters = {"small": gone, "large": gone, "code": gone, "extproc_router": f"unix:{tmp_path}/s"}
    with lab.workspace() as directory, lab.envoy(directory, clusters=clusters) as envoy:
        house = make_house(lab.Stack(directory, {}, None, envoy, {}))  # type: ignore[arg-type]  # absent on purpose
        reply = house.post(house.chat())

    assert reply.status == 503
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
    assert reply.json()["error"]["type"] == "api_error"
    assert gone not in reply.body.decode()
    assert "127.0.0.1" not in reply.body.decode()


def test_requests_have_an_id_that_client_router_and_logs_share(house: House) -> None:
    reply = house.post(house.chat(model="code-32b"))

    request_id = reply.headers["x-request-id"]
    assert house.only().header("x-request-id") == request_id
    assert house.decision(request_id)["request_id"] == house.access(request_id)["request_id"] == request_id


def test_envoy_counts_what_the_router_did(house: House) -> None:
    house.post(house.chat(model="code-32b"))

    status, text = get(house.stack.envoy.admin_port, "/stats?filter=ext_proc")
    assert status == 200
    counters = dict(line.split(": ") for line in text.decode().splitlines() if ": " in line)
    assert int(counters["http.llm.ext_proc.router.streams_started"]) > 0
    assert int(counters["http.llm.ext_proc.router.failure_mode_allowed"]) == 0
    assert int(counters["http.llm.ext_proc.router.rejected_header_mutations"]) == 0
