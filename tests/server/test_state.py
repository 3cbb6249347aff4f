from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from extproc_router.errors import StartupError
from extproc_router.server import shared_files, state
from extproc_router.server.state import Applied, State, WorkerState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def version(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:12]


def applied(text: bytes = b"one", *, previous: str = "", file: str = "/etc/router.yaml", **metadata: str) -> Applied:
    return Applied(version(text), "e1", file, text, metadata, 0, 1_800_000_000.25, previous)


def worker(text: bytes = b"one", pid: int = 0, index: int = 0) -> WorkerState:
    return WorkerState(pid or os.getpid(), index, version(text), "e1", 2.0, "", (), 1.0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where what is kept is."""
    return tmp_path / "state" / "kept"


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Callable[[], State]]:
    made: list[State] = []

    def make() -> State:
        made.append(State(tmp_path / "state"))
        return made[-1]

    yield make
    for each in made:
        each.close()


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_version_is_kept_with_who_and_when(tmp_path: Path, keeping: Callable[[], State]) -> None:
    kept = keeping()
    kept.applied(applied(b"one", owner="maths team"))
    kept.applied(applied(b"two", previous=version(b"one")))

    first, second = state.history(tmp_path / "state")
    assert first == state.Entry(
        "2027-01-15T08:00:00.250+00:00",
        version(b"one"),
        "",
        "/etc/router.yaml",
        {"owner": "maths team"},
        "e1",
        0,
        os.getpid(),
    )
    assert (second.version, second.previous) == (version(b"two"), version(b"one"))
    full = hashlib.sha256(b"two").hexdigest()
    assert state.text_of(tmp_path / "state", full[:6].upper()) == (full, b"two", "/etc/router.yaml")


def test_everything_is_its_owners_alone(tmp_path: Path, root: Path, keeping: Callable[[], State]) -> None:
    kept = keeping()
    kept.applied(applied())
    kept.report(worker())

    assert files(root) == [
        "applied.jsonl",
        "lock",
        f"versions/{hashlib.sha256(b'one').hexdigest()}.yaml",
        f"workers/{os.getpid()}.json",
    ]
    for path in (tmp_path / "state", root, *root.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_worker_lives_until_it_ends(tmp_path: Path, keeping: Callable[[], State]) -> None:
    kept = keeping()
    kept.report(worker())
    rejected = WorkerState(os.getpid(), 0, version(b"one"), "e1", 2.0, "bad", ("x" * 5000,) * 500, 1.0)
    kept.report(rejected)

    [seen] = state.workers(tmp_path / "state")
    assert seen.alive
    assert (seen.state.version, seen.state.rejected_version) == (version(b"one"), "bad")
    assert (len(seen.state.mistakes), len(seen.state.mistakes[0])) == (100, 1000)
    kept.close()
    assert state.workers(tmp_path / "state") == ()


def test_the_living_come_first_by_index(tmp_path: Path, root: Path, keeping: Callable[[], State]) -> None:
    keeping().report(worker(pid=12, index=1))
    keeping().report(worker(pid=11, index=0))
    os.close(
        shared_files.write(
            root / "workers/10.json",
            b'{"pid":10,"worker":0,"version":"a",'
            b'"encoder_version":"e","applied_unix":1,"rejected_version":"","mistakes":[],'
            b'"started_unix":1}',
        )
    )
    (root / "workers/9.json").write_bytes(b"{")

    assert [(seen.state.pid, seen.alive) for seen in state.workers(tmp_path / "state")] == [
        (11, True),
        (12, True),
        (10, False),
    ]


def test_two_containers_may_have_a_process_of_the_same_id(tmp_path: Path, keeping: Callable[[], State]) -> None:
    for text in (b"one", b"two"):
        keeping().report(worker(text, pid=7))

    assert {seen.state.version for seen in state.workers(tmp_path / "state")} == {version(b"one"), version(b"two")}


def test_the_gone_are_forgotten_in_time(tmp_path: Path, keeping: Callable[[], State]) -> None:
    for pid in range(1, 50):
        gone = State(tmp_path / "state")
        gone.report(worker(pid=pid))
        os.close(gone._held)

    keeping().report(worker(pid=100))

    assert len(state.workers(tmp_path / "state")) == 33


def test_versions_are_bounded_and_none_that_runs_goes(
    tmp_path: Path, root: Path, keeping: Callable[[], State], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "KEPT_VERSIONS", 3)
    kept = keeping()
    kept.applied(applied(b"0"))
    kept.report(worker(b"0"))
    gone = State(tmp_path / "state")
    gone.report(worker(b"1", pid=1))
    os.close(gone._held)
    for number in range(1, 9):
        kept.applied(applied(b"%d" % number))
        os.utime(root / "versions" / f"{hashlib.sha256(b'%d' % number).hexdigest()}.yaml", (number, number))

    assert {path.read_bytes() for path in (root / "versions").iterdir()} == {b"0", b"7", b"8"}
    kept.applied(applied(b"6"))
    with pytest.raises(StartupError, match="it ran, but only the last 3 are kept"):
        state.text_of(tmp_path / "state", version(b"2"))


def test_a_version_that_comes_back_is_young_again(
    root: Path, keeping: Callable[[], State], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "KEPT_VERSIONS", 2)
    kept = keeping()
    for text in (b"a", b"b"):
        kept.applied(applied(text))
        os.utime(root / "versions" / f"{hashlib.sha256(text).hexdigest()}.yaml", (1, 1))
    kept.applied(applied(b"a"))
    kept.applied(applied(b"c"))

    assert {path.read_bytes() for path in (root / "versions").iterdir()} == {b"a", b"c"}


def test_lines_are_bounded(tmp_path: Path, keeping: Callable[[], State], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "KEPT_LINES", 5)
    monkeypatch.setattr(state, "SPARE_LINES", 2)
    kept, counts = keeping(), []
    for number in range(20):
        kept.applied(applied(b"%d" % number))
        counts.append(len(state.history(tmp_path / "state")))

    assert max(counts) == 7
    assert min(counts[5:]) == 5
    assert state.history(tmp_path / "state")[-1].version == version(b"19")


def test_metadata_may_not_fill_the_disk(tmp_path: Path, keeping: Callable[[], State]) -> None:
    keeping().applied(applied(b"one", note="x" * 1_000_000))

    assert state.history(tmp_path / "state")[0].metadata == {}


def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path: Path, root: Path, keeping: Callable[[], State]) -> None:
    kept, journal = keeping(), root / "applied.jsonl"
    kept.applied(applied(b"one"))
    journal.write_bytes(journal.read_bytes() + b'{"time":"20')
    kept.applied(applied(b"two"))

    assert [entry.version for entry in state.history(tmp_path / "state")] == [version(b"one"), version(b"two")]


def test_versions_that_cannot_be_told(tmp_path: Path, root: Path, keeping: Callable[[], State]) -> None:
    kept, directory = keeping(), tmp_path / "state"
    kept.applied(applied(b"one"))
    full = hashlib.sha256(b"one").hexdigest()
    twin = root / "versions" / f"{full[:20]}{'0' * 44}.yaml"
    twin.write_bytes(b"?")

    with pytest.raises(StartupError, match=rf"{full[:6]} is several versions: .*{full[:16]}"):
        state.text_of(directory, full[:6])
    with pytest.raises(StartupError, match="its content is not what was applied: the hash does not fit"):
        state.text_of(directory, twin.stem)
    for wrong in ("12345", "", "zzzzzz", "../../x", "0" * 65):
        with pytest.raises(StartupError, match="is no version: write its first 6 or more hex digits"):
            state.text_of(directory, wrong)
    with pytest.raises(StartupError, match="no version 000000: it is not known to have run here"):
        state.text_of(directory, "000000")


def test_what_was_tampered_with_is_mended_when_it_is_applied_again(
    tmp_path: Path, root: Path, keeping: Callable[[], State]
) -> None:
    kept = keeping()
    kept.applied(applied(b"one"))
    (root / "versions" / f"{hashlib.sha256(b'one').hexdigest()}.yaml").write_bytes(b"other")
    kept.applied(applied(b"one"))

    assert state.text_of(tmp_path / "state", version(b"one"))[1] == b"one"


def test_readers_say_where_there_is_nothing(tmp_path: Path) -> None:
    for read in (state.workers, state.history, lambda directory: state.text_of(directory, "123456")):
        with pytest.raises(StartupError, match="no state is kept there"):
            read(tmp_path / "none")
    assert state.workers(tmp_path) == ()
    assert state.history(tmp_path) == ()


@pytest.mark.parametrize("where", ["file/state", "nul\0"])
def test_what_cannot_be_kept_is_said_once_and_raises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    (tmp_path / "file").touch()
    kept = State(tmp_path / where)
    for _ in range(3):
        kept.applied(applied())
        kept.report(worker())
    kept.close()

    [record] = caplog.records
    assert "cannot be kept" in record.message


def test_a_full_disk_raises_nothing(
    tmp_path: Path, keeping: Callable[[], State], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = keeping()
    kept.report(worker(b"one"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        kept.report(worker(b"two"))
        kept.applied(applied(b"two"))

    assert caplog.messages == [f"the state in {tmp_path / 'state'} cannot be kept: No space left on device"]
    [seen] = state.workers(tmp_path / "state")
    assert (seen.alive, seen.state.version) == (True, version(b"one"))
    kept.report(worker(b"two"))
    assert state.workers(tmp_path / "state")[0].state.version == version(b"two")


def test_none_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kept = State(None)
    kept.applied(applied())
    kept.report(worker())
    kept.close()

    assert files(tmp_path) == []


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir(mode=0o750)
    kept = State(tmp_path / "given")
    kept.applied(applied())

    assert (tmp_path / "given").stat().st_mode & 0o777 == 0o750


def plant(path: Path, what: str) -> None:
    """Put something odd where a file is expected."""
    match what:
        case "directory":
            path.mkdir()
        case "link":
            path.symlink_to("/etc/passwd")
        case "dangling link":
            path.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(path)
        case "binary":
            path.write_bytes(b"\xff\0{{{")
        case _:
            told = msgspec.to_builtins(worker()) | {what: 1e300 if what.endswith("unix") else 10**5000}
            path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    "what", ["directory", "link", "dangling link", "pipe", "binary", "applied_unix", "worker", "workers"]
)
def test_something_odd_among_the_workers_is_left_alone(
    tmp_path: Path, root: Path, keeping: Callable[[], State], caplog: pytest.LogCaptureFixture, what: str
) -> None:
    keeping().report(worker(pid=1))
    sys.set_int_max_str_digits(0)
    for name in ("zz.json", "7.json"):
        plant(root / "workers" / name, what)
    sys.set_int_max_str_digits(4300)
    handles = len([*Path("/proc/self/fd").iterdir()])

    kept = keeping()
    kept.report(worker(pid=7, index=1))
    kept.applied(applied(b"one"))

    assert caplog.records == []
    assert [seen.state.pid for seen in state.workers(tmp_path / "state")] == [1, 7]
    assert state.history(tmp_path / "state")
    kept.close()
    assert len([*Path("/proc/self/fd").iterdir()]) == handles


@pytest.mark.parametrize("where", ["kept/versions", "kept/workers", "kept"])
def test_a_directory_that_leads_elsewhere_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    directory, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (directory / where).parent.mkdir(parents=True, mode=0o700)
    (directory / where).symlink_to(elsewhere)

    State(directory).applied(applied())

    assert list(elsewhere.iterdir()) == []
    assert caplog.messages == [f"the state in {directory} cannot be kept: {directory / where} is no directory"]
    with pytest.raises(StartupError, match="is no directory"):
        state.history(directory)


def test_where_others_may_write_nothing_is_kept_or_believed(
    tmp_path: Path, root: Path, keeping: Callable[[], State], caplog: pytest.LogCaptureFixture
) -> None:
    keeping().applied(applied(b"one"))
    for mode in (0o770, 0o707):
        root.chmod(mode)
        keeping().applied(applied(b"two"))
        with pytest.raises(StartupError, match=r"others may write in .*kept \(chmod go-w\)"):
            state.text_of(tmp_path / "state", version(b"one"))
    assert all("others may write in" in message for message in caplog.messages)

    root.chmod(0o700)
    assert len(state.history(tmp_path / "state")) == 1


def test_what_belongs_to_another_user_is_not_used(
    tmp_path: Path, keeping: Callable[[], State], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping().applied(applied(b"one"))
    me = os.geteuid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: me + 1)
        keeping().applied(applied(b"two"))
        with pytest.raises(StartupError, match=rf"belongs to another user \(id {me}\)"):
            state.workers(tmp_path / "state")

    assert "belongs to another user" in caplog.text
    assert len(state.history(tmp_path / "state")) == 1


def test_a_volume_may_belong_to_the_group_or_to_everybody(tmp_path: Path) -> None:
    """As Kubernetes mounts an emptyDir, with and without fsGroup."""
    for mode in (0o777, 0o2777, 0o2770):
        volume = tmp_path / f"{mode:o}"
        volume.mkdir()
        volume.chmod(mode)
        State(volume).applied(applied())

        assert len(state.history(volume)) == 1
        assert (volume / "kept").stat().st_mode & 0o777 == 0o700


def test_what_is_lost_while_it_runs_is_kept_again(tmp_path: Path, root: Path, keeping: Callable[[], State]) -> None:
    kept, directory = keeping(), tmp_path / "state"
    kept.applied(applied(b"one"))
    kept.report(worker(b"one"))
    before = state.history(directory)

    shutil.rmtree(directory)
    kept.report(worker(b"one"))

    assert state.history(directory) == before
    assert state.text_of(directory, version(b"one"))[1:] == (b"one", "/etc/router.yaml")
    assert [seen.alive for seen in state.workers(directory)] == [True]

    (root / "applied.jsonl").unlink()
    full, _, file = state.text_of(directory, version(b"one"))
    assert file == str(root / f"versions/{full}.yaml")


def _run(root: Path, index: int) -> None:
    kept = State(root)
    for number in range(20):
        kept.applied(applied(b"%d" % number, file=f"/{index}"))
        kept.report(worker(b"%d" % number, index=index))
    kept.close()


def test_several_processes_share_it(tmp_path: Path) -> None:
    root = tmp_path / "state"
    context = get_context("spawn")
    processes = [context.Process(target=_run, args=(root, index)) for index in range(3)]
    with ThreadPoolExecutor(1) as reader:
        for process in processes:
            process.start()
        looks = reader.submit(_look, root)
        for process in processes:
            process.join()
        looks.result()

    assert [process.exitcode for process in processes] == [0, 0, 0]
    lines = (root / "kept/applied.jsonl").read_text().splitlines()
    assert sorted((json.loads(line)["file"], json.loads(line)["version"]) for line in lines) == sorted(
        (f"/{index}", version(b"%d" % number)) for index in range(3) for number in range(20)
    )
    assert len([*(root / "kept/versions").iterdir()]) == 20
    assert [*(root / "kept/workers").iterdir()] == []


def _look(root: Path) -> None:
    for _ in range(50):
        if root.exists():
            state.workers(root)
            state.history(root)


@pytest.mark.parametrize(
    ("variables", "directory"),
    [
        ({"EXTPROC_ROUTER_STATE": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/s"),
        ({"EXTPROC_ROUTER_STATE": "", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/extproc-router"),
        ({"XDG_STATE_HOME": "", "HOME": "/h"}, "/h/.local/state/extproc-router"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, None),
    ],
)
def test_the_default_directory(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], directory: str | None
) -> None:
    for name in ("EXTPROC_ROUTER_STATE", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert state.default_directory() == (Path(directory) if directory else None)


def test_a_user_without_a_home_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EXTPROC_ROUTER_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)

    assert state.default_directory() is None
