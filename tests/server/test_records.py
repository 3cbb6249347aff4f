from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from extproc_router.server import records
from extproc_router.server.records import Applied, Entry, WorkerState

WORKER = WorkerState(1, 0, "v", "e", 2.0, "", (), 1.0, workers=2)


def test_an_entry_is_an_application_with_its_time_written_out() -> None:
    told = records.entry(Applied("v2", "e1", "a/../r.yaml", b"text", {"owner": "me"}, 3, 1_800_000_000.25, "v1", "pod"))

    assert told == Entry(
        time="2027-01-15T08:00:00.250+00:00",
        version="v2",
        previous="v1",
        file=str(Path.cwd() / "r.yaml"),
        metadata={"owner": "me"},
        encoder_version="e1",
        worker=3,
        pid=os.getpid(),
        host="pod",
    )


def test_metadata_is_bounded() -> None:
    applied = Applied("v", "e", "/r.yaml", b"", {"a": "x" * 9_000, "b": "x" * 9_000}, 0, 1.0, "")

    assert records.entry(applied).metadata == {}


@pytest.mark.parametrize("value", ["x", -1, 1e300, 10**300, None])
@pytest.mark.parametrize("name", ["pid", "worker", "workers", "applied_unix", "started_unix"])
def test_numbers_out_of_their_bounds_are_no_worker_of_ours(name: str, value: Any) -> None:
    told = msgspec.to_builtins(WORKER)
    assert msgspec.convert(told, WorkerState) == WORKER
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(told | {name: value}, WorkerState)


def test_what_an_older_release_wrote_is_of_one_worker() -> None:
    told = msgspec.to_builtins(WORKER)
    del told["workers"]

    assert msgspec.convert(told, WorkerState).workers == 1
