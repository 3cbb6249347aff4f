from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "k8s" / "base"

Object: TypeAlias = dict[str, Any]
Render: TypeAlias = Callable[[Path], list[Object]]


def read_sources(directory: Path) -> list[Object]:
    """What Kustomize would apply, less its hashes and labels: these checks run where there is no kubectl too."""
    kustomization = yaml.safe_load((directory / "kustomization.yaml").read_text())
    objects: list[Object] = []
    for name in kustomization.get("resources", []):
        path = directory / name
        if path.is_dir():
            objects += read_sources(path)
        else:
            objects += yaml.safe_load_all(path.read_text())
    for generator in kustomization.get("configMapGenerator", []):
        data = {}
        for entry in generator["files"]:
            key, _, file = entry.rpartition("=")
            data[key or Path(file).name] = (directory / file).read_text()
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data})
    return objects


def kustomize(directory: Path) -> list[Object]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not on PATH; the same checks run on the sources")
    done = subprocess.run([kubectl, "kustomize", str(directory)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="session")
def render() -> Render:
    return kustomize


@pytest.fixture(scope="session", params=[read_sources, kustomize], ids=["sources", "rendered"])
def objects(request: pytest.FixtureRequest) -> list[Object]:
    rendered: list[Object] = request.param(BASE)
    return rendered


@pytest.fixture(scope="session")
def one(objects: list[Object]) -> Callable[[str], Object]:
    def find(kind: str) -> Object:
        [found] = [item for item in objects if item["kind"] == kind]
        return found

    return find


@pytest.fixture(scope="session")
def template(one: Callable[[str], Object]) -> Object:
    template: Object = one("Deployment")["spec"]["template"]
    return template


@pytest.fixture(scope="session")
def pod(template: Object) -> Object:
    pod: Object = template["spec"]
    return pod


@pytest.fixture(scope="session")
def router(pod: Object) -> Object:
    [router] = pod["initContainers"]
    assert router["name"] == "router"
    assert isinstance(router, dict)
    return router


@pytest.fixture(scope="session")
def envoy(pod: Object) -> Object:
    [envoy] = pod["containers"]
    assert envoy["name"] == "envoy"
    assert isinstance(envoy, dict)
    return envoy


@pytest.fixture(scope="session")
def bootstrap() -> Object:
    bootstrap: Object = yaml.safe_load((ROOT / "envoy" / "envoy.yaml").read_text())
    return bootstrap


@pytest.fixture(scope="session")
def mounted(pod: Object, objects: list[Object]) -> Callable[[Object, str], Mapping[str, Any]]:
    """What a container finds at a path: the volume, with `data` where it is a ConfigMap of these objects."""

    def look(container: Object, path: str) -> Mapping[str, Any]:
        [mount] = [item for item in container["volumeMounts"] if item["mountPath"] == path]
        [volume] = [item for item in pod["volumes"] if item["name"] == mount["name"]]
        found = {**volume, "mount": mount}
        if "configMap" in volume:
            name = volume["configMap"]["name"]
            [found["data"]] = [
                item["data"] for item in objects if (item["kind"], item["metadata"]["name"]) == ("ConfigMap", name)
            ]
        return found

    return look


class Instruction(NamedTuple):
    name: str
    rest: str

    def exec_form(self) -> list[str]:
        parsed = json.loads(self.rest)
        assert all(isinstance(part, str) for part in parsed)
        return list(parsed)

    def sources(self) -> list[str]:
        """What a COPY takes from the build's context."""
        words = [word for word in self.rest.split() if not word.startswith("--")]
        return [] if "--from=" in self.rest else words[:-1]


def instructions(text: str) -> Iterator[Instruction]:
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in lines.replace("\\\n", "").splitlines():
        if line.strip():
            name, rest = line.split(maxsplit=1)
            yield Instruction(name, rest)


@pytest.fixture(scope="session")
def dockerfile() -> list[Instruction]:
    return list(instructions((ROOT / "Dockerfile").read_text()))


@pytest.fixture(scope="session")
def stages(dockerfile: list[Instruction]) -> list[list[Instruction]]:
    starts = [index for index, item in enumerate(dockerfile) if item.name == "FROM"]
    return [dockerfile[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


@pytest.fixture(scope="session")
def image(stages: list[list[Instruction]]) -> dict[str, str]:
    """The instructions of the last stage that say something once."""
    return {item.name: item.rest for item in stages[-1]}


@pytest.fixture(scope="session")
def environment(image: dict[str, str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(image["ENV"]))
