"""The Dockerfile, read as text, and those of its commands that need no Docker."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from extproc_router import __version__
from extproc_router.cli import build_parser
from extproc_router.encoder import manifest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def defaults(dockerfile: list[Any]) -> dict[str, str]:
    return dict(item.rest.split("=", 1) for item in dockerfile if item.name == "ARG" and "=" in item.rest)


@pytest.fixture
def context(tmp_path: Path, dockerfile: list[Any]) -> Path:
    """What the build stage is given: the files it copies, and no generated code among them."""
    for source in [source for item in dockerfile if item.name == "COPY" for source in item.sources()]:
        if source == "extproc_router":
            shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__", "v1"))
        elif (ROOT / source).is_file():
            shutil.copy(ROOT / source, tmp_path / source)
        elif not source.startswith("models/"):
            shutil.copytree(ROOT / source, tmp_path / source)
    return tmp_path


def test_all_stages_have_one_base_that_python_allows_us(stages: list[list[Any]], defaults: dict[str, str]) -> None:
    assert {stage[0].rest.removesuffix(" AS build") for stage in stages} == {"${PYTHON_IMAGE}"}
    tag = re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+", defaults["PYTHON_IMAGE"])
    assert tag
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert required == f">={tag[1]}.{tag[2]}"


def test_it_says_which_version_it_is(defaults: dict[str, str], image: dict[str, str]) -> None:
    assert defaults["VERSION"] == __version__
    labels = dict(word.split("=", 1) for word in shlex.split(image["LABEL"]))
    assert labels["org.opencontainers.image.version"] == "${VERSION}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels["org.opencontainers.image.title"] == project["name"]
    assert labels["org.opencontainers.image.description"] == project["description"]
    assert labels["org.opencontainers.image.licenses"] == project["license"]


def test_it_runs_as_a_number_that_is_not_root(image: dict[str, str]) -> None:
    user, group = image["USER"].split(":")
    assert int(user) == int(group) == 65532


def test_it_writes_no_bytecode_looks_for_no_models_and_reports_to_nobody(environment: dict[str, str]) -> None:
    for variable in ("PYTHONDONTWRITEBYTECODE", "HF_HUB_OFFLINE", "ORT_DISABLE_TELEMETRY"):
        assert environment[variable] == "1"


def test_the_model_is_where_the_router_looks(stages: list[list[Any]], environment: dict[str, str]) -> None:
    [copy] = [item for item in stages[-1] if item.name == "COPY" and item.sources()]
    [source] = copy.sources()
    contents = manifest.read(ROOT / source)
    assert all((ROOT / source / path).is_file() for path in contents.paths())
    assert copy.rest.split()[-1] == environment["EXTPROC_ROUTER_MODEL"]


def test_the_config_is_where_the_manifests_mount_it(environment: dict[str, str], router: dict[str, object]) -> None:
    assert f"--config={environment['EXTPROC_ROUTER_CONFIG']}" in router["args"]  # type: ignore[operator]  # parsed YAML


def test_no_config_is_in_the_image(stages: list[list[Any]]) -> None:
    assert not [
        source for item in stages[-1] if item.name == "COPY" for source in item.sources() if "examples" in source
    ]


def test_the_program_gets_signals_itself(stages: list[list[Any]], image: dict[str, str]) -> None:
    last = {item.name: item for item in stages[-1]}
    assert last["ENTRYPOINT"].exec_form() == ["extproc-router"]
    assert "extproc-router" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert image["STOPSIGNAL"] == "SIGTERM"


def test_it_listens_by_default_on_the_ports_that_it_exposes(stages: list[list[Any]], image: dict[str, str]) -> None:
    [command] = [item for item in stages[-1] if item.name == "CMD"]
    args = build_parser().parse_args(command.exec_form())
    listening = [args.listen, args.health_listen, args.metrics_listen]
    assert [address.removeprefix("0.0.0.0:") for address in listening] == image["EXPOSE"].split()


def test_what_it_copies_exists_and_is_let_into_the_build(dockerfile: list[Any]) -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {"extproc_router/v1", "**/__pycache__"} <= set(rules)
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = {source for item in dockerfile if item.name == "COPY" for source in item.sources()}
    mounted = {found for item in dockerfile for found in re.findall(r"--mount=type=bind,source=([^,]+)", item.rest)}
    assert copied | mounted == allowed
    for source in allowed:
        assert (ROOT / source).exists(), source
        assert not PurePosixPath(source).is_absolute()


def test_the_dependencies_are_the_projects_and_torch_is_none_of_them(dockerfile: list[Any], context: Path) -> None:
    [script] = [
        found[1]
        for item in dockerfile
        if item.name == "RUN" and (found := re.match(r'python -c "(import tomllib;.*?)"', item.rest))
    ]
    subprocess.run([sys.executable, "-c", script], cwd=context, check=True)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = (context / "run.txt").read_text().splitlines()
    assert listed == [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["otlp"]]
    assert (context / "build.txt").read_text().splitlines() == project["build-system"]["requires"]
    assert not [name for name in listed if re.match(r"(torch|transformers|onnx)\b", name)]


def test_the_wheel_builds_from_what_is_copied(dockerfile: list[Any], context: Path) -> None:
    [command] = [item.rest for item in dockerfile if item.name == "RUN" and item.rest.startswith("pip wheel ")]
    arguments = shlex.split(command.split("&&", maxsplit=1)[0])
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=context, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr

    [wheel] = (context / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "extproc_router/v1/decision_pb2.py" in names
    assert "extproc_router/cli/serve.py" in names
    assert {name.split("/")[0] for name in names} == {"extproc_router", f"extproc_router-{__version__}.dist-info"}
