from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from extproc_router import cli, wiring

if TYPE_CHECKING:
    from pathlib import Path

Command = Callable[..., tuple[int, str, str]]
GOOD = "cases:\n  - {name: hard, prompt: some hard math, expect: {model: large}}\n"
BAD = GOOD + "  - {name: easy, prompt: hi, expect: {model: large, action: block}}\n"


@pytest.fixture
def test(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    told_config: str,
    scripted_encoder: Any,
) -> Command:
    """Run `test` on the config and these cases."""
    monkeypatch.setattr(wiring, "load_encoder", lambda *_, **__: scripted_encoder)

    def run(cases: str, *more: str, config: str = told_config) -> tuple[int, str, str]:
        (tmp_path / "router.yaml").write_text(config)
        (tmp_path / "cases.yaml").write_text(cases)
        status = cli.main(["test", str(tmp_path / "router.yaml"), str(tmp_path / "cases.yaml"), *more])
        said = capsys.readouterr()
        return status, said.out, said.err.replace(f"{tmp_path}/", "")

    return run


def test_cases_that_pass_are_exit_0(test: Command) -> None:
    assert test(GOOD) == (0, "ok    hard\n1 case, all as expected\n", "")


def test_one_that_fails_is_exit_1_with_a_diff(test: Command) -> None:
    status, out, _ = test(BAD)
    assert status == 1
    assert "expected block" in out
    assert out.endswith("2 cases, 1 failure\n")


def test_json_is_one_object(test: Command) -> None:
    status, out, _ = test(BAD, "--json")
    assert (status, json.loads(out)["failed"]) == (1, 1)


def test_junit_is_written_beside(test: Command, tmp_path: Path) -> None:
    status, _, _ = test(BAD, "--junit", str(tmp_path / "j.xml"))
    assert status == 1
    assert ET.fromstring((tmp_path / "j.xml").read_bytes()).get("failures") == "1"  # noqa: S314 - our own


def test_mistakes_in_either_file_are_told_with_their_lines(test: Command) -> None:
    assert test("cases: 3\n")[2].startswith("extproc-router: cases.yaml:1: cases: ")
    assert "cases.yaml:2: cases.0.expect.model: the config has no model" in test(GOOD.replace("large", "larger"))[2]
    status, _, err = test(GOOD, config="models: 3\n")
    assert status == 1
    assert "router.yaml:" in err


def test_files_that_are_not_there_are_said(test: Command) -> None:
    status, _, err = test(GOOD, "--junit", "/nowhere/j.xml")
    assert (status, "/nowhere/j.xml" in err) == (1, True)
    assert cli.main(["test", "/nowhere", "/nowhere"]) == 1
