from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import cli
from extproc_router.server.state import Applied, State, WorkerState

if TYPE_CHECKING:
    from pathlib import Path

Status = Callable[..., tuple[int, str, str]]


@pytest.fixture
def status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Status:
    def run(*argv: str) -> tuple[int, str, str]:
        code = cli.main(["status", "--state", str(tmp_path / "state"), *argv])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., State]]:
    """Report as a worker would."""
    made = []

    def report(index: int, version: str = "aaaaaaaaaaaa", **members: Any) -> State:
        made.append(State(tmp_path / "state"))
        told = {"encoder": "e1", "rejected": "", "mistakes": (), "workers": 1, **members}
        made[-1].report(
            WorkerState(
                pid=100 + index,
                worker=index,
                version=version,
                encoder_version=told["encoder"],
                applied_unix=1_800_000_000,
                rejected_version=told["rejected"],
                mistakes=told["mistakes"],
                started_unix=1.0,
                workers=told["workers"],
            )
        )
        return made[-1]

    yield report
    for each in made:
        each.close()


def test_workers_that_agree_are_exit_0(status: Status, serve: Callable[..., State]) -> None:
    for index in range(2):
        serve(index)

    code, out, _ = status()

    assert code == 0
    assert out.splitlines() == [
        "worker  pid  state  version       since                      encoder  refused",
        "0       100  alive  aaaaaaaaaaaa  2027-01-15T08:00:00+00:00  e1       -",
        "1       101  alive  aaaaaaaaaaaa  2027-01-15T08:00:00+00:00  e1       -",
        "",
        "the 2 living workers run version aaaaaaaaaaaa",
    ]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"version": "bbbbbbbbbbbb"}, "the 2 living workers do not agree: version aaaaaaaaaaaa, bbbbbbbbbbbb"),
        ({"encoder": "e2"}, "the 2 living workers do not agree: encoder_version e1, e2"),
        ({"version": ""}, "of the 2 living workers, not all have started yet"),
    ],
)
def test_workers_that_do_not_agree_are_exit_1(
    status: Status, serve: Callable[..., State], second: dict[str, str], said: str
) -> None:
    serve(0)
    serve(1, **second)

    code, out, _ = status()

    assert (code, out.splitlines()[-1]) == (1, said)


def test_what_was_refused_is_told_once_with_its_mistakes(status: Status, serve: Callable[..., State]) -> None:
    for index in range(2):
        serve(index, rejected="cccccccccccc", mistakes=("r.yaml:3: rules: no such model", "r.yaml:4: x: \x1b[2J"))

    code, out, _ = status()

    assert code == 0
    assert out.count("Refused: cccccccccccc\n  r.yaml:3: rules: no such model\n  r.yaml:4: x: \\x1b[2J\n") == 1


def test_the_gone_are_shown_and_do_not_count(status: Status, serve: Callable[..., State]) -> None:
    serve(0)
    gone = serve(1, "bbbbbbbbbbbb")
    os.close(gone._held)
    gone._mine, gone._held = None, -1

    code, out, _ = status()

    assert code == 0
    assert "1       101  gone   bbbbbbbbbbbb" in out
    assert out.splitlines()[-1] == "the only living worker runs version aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("living", "said"),
    [
        ((0, 2), "the 2 living workers should be more: worker 1 is missing"),
        ((1,), "the only living worker should be more: workers 0, 2 are missing"),
    ],
)
def test_one_that_does_not_come_up_is_missed(
    status: Status, serve: Callable[..., State], living: tuple[int, ...], said: str
) -> None:
    for index in living:
        serve(index, workers=3)

    code, out, _ = status()

    assert (code, out.splitlines()[-1]) == (1, said)


def test_nobody_there_is_exit_1(status: Status, tmp_path: Path) -> None:
    code, _, err = status()
    assert code == 1
    assert "no state is kept there" in err
    (tmp_path / "state").mkdir()
    assert status() == (1, "no worker is running\n", "")


def test_the_file_is_compared(status: Status, serve: Callable[..., State], tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text("one")
    version = hashlib.sha256(b"one").hexdigest()[:12]
    serve(0, version)

    code, out, _ = status("--config", str(config))
    assert code == 0
    assert out.endswith(f"runs version {version}; the content of {config} is that\n")
    config.write_text("two")
    code, out, _ = status("--config", str(config))
    assert code == 1
    assert out.endswith(f"the content of {config} is {hashlib.sha256(b'two').hexdigest()[:12]}\n")


def test_history_tells_what_was_applied(status: Status, tmp_path: Path) -> None:
    kept = State(tmp_path / "state")
    kept.applied(Applied("aaaaaaaaaaaa", "e1", "/r.yaml", b"a", {"owner": "me", "why": "x"}, 0, 1_800_000_000, ""))
    kept.applied(Applied("bbbbbbbbbbbb", "e1", "/r.yaml", b"b", {}, 0, 1_800_000_001, "aaaaaaaaaaaa"))

    _, out, _ = status("--history")

    first, second = out.split("Applied, oldest first\n")[1].splitlines()[1:3]
    assert first.split()[:3] == ["2027-01-15T08:00:00.000+00:00", "aaaaaaaaaaaa", "-"]
    assert first.endswith("/r.yaml; owner: me; why: x")
    assert second.split()[1:3] == ["bbbbbbbbbbbb", "aaaaaaaaaaaa"]


def test_json_is_one_object(status: Status, serve: Callable[..., State], tmp_path: Path) -> None:
    serve(0).applied(Applied("aaaaaaaaaaaa", "e1", "/r.yaml", b"a", {"owner": "me"}, 0, 1_800_000_000, ""))

    document = json.loads(status("--json", "--history")[1])

    assert document == {
        "directory": str(tmp_path / "state"),
        "workers": [
            {
                "worker": 0,
                "workers": 1,
                "pid": 100,
                "alive": True,
                "version": "aaaaaaaaaaaa",
                "since": "2027-01-15T08:00:00+00:00",
                "encoder_version": "e1",
                "rejected_version": "",
                "mistakes": [],
                "started": "1970-01-01T00:00:01+00:00",
            }
        ],
        "history": [
            {
                "time": "2027-01-15T08:00:00.000+00:00",
                "version": "aaaaaaaaaaaa",
                "previous": "",
                "file": "/r.yaml",
                "metadata": {"owner": "me"},
                "encoder_version": "e1",
                "worker": 0,
                "pid": os.getpid(),
                "host": "",
            }
        ],
        "converged": True,
        "said": "the only living worker runs version aaaaaaaaaaaa",
    }


def test_without_a_home_the_state_has_to_be_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extproc_router.server.state.default_directory", lambda: None)

    assert cli.main(["status"]) == 1
    assert "give --state DIR" in capsys.readouterr().err
