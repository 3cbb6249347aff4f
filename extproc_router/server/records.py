"""What is noted of what runs: a line for each application of a version, a file for each worker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

_METADATA_CHARACTERS = 16 * 1024

# A file in which something else is written is no file of ours.
_Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Moment = Annotated[float, Meta(ge=0, lt=253_402_300_800)]  # the year 10000


class Applied(Struct, frozen=True):
    """A worker began to run a version.

    Attributes:
        version: the config's.
        encoder_version: the artefact's.
        file: the config file's path.
        text: its bytes.
        metadata: what its author wrote about it.
        worker: index of the worker.
        unix_time: seconds since the epoch.
        previous: the version that ran before; empty where none did.
        host: the machine's or the container's name.
    """

    version: str
    encoder_version: str
    file: str
    text: bytes
    metadata: Mapping[str, str]
    worker: int
    unix_time: float
    previous: str
    host: str = ""


class WorkerState(Struct, frozen=True):
    """What one worker runs.

    Attributes:
        pid: its process id, as it sees it itself.
        worker: its index.
        version: the config's; empty before there is one.
        encoder_version: the artefact's.
        applied_unix: since when it runs that, in seconds since the epoch.
        rejected_version: the version last refused; empty where the last one that was seen runs.
        mistakes: what was wrong with it.
        started_unix: when the process started serving.
        workers: how many workers there are to be, of which it is one.
    """

    pid: _Count
    worker: _Count
    version: str
    encoder_version: str
    applied_unix: _Moment
    rejected_version: str
    mistakes: tuple[str, ...]
    started_unix: _Moment
    workers: Annotated[int, Meta(ge=1, le=65_536)] = 1


class Seen(Struct, frozen=True):
    """A worker's file: what it says, and whether the worker lives."""

    state: WorkerState
    alive: bool


class Entry(Struct, frozen=True):
    """A line of `applied.jsonl`; `time` is ISO 8601, UTC, `file` absolute, the rest as in `Applied`."""

    time: str
    version: str
    previous: str
    file: str
    metadata: dict[str, str]
    encoder_version: str
    worker: _Count
    pid: _Count
    host: str = ""


def entry(applied: Applied) -> Entry:
    """Write an application as a line of the journal; too much metadata is left out."""
    time = datetime.fromtimestamp(applied.unix_time, UTC).isoformat(timespec="milliseconds")
    told = dict(applied.metadata)
    if sum(len(name) + len(value) for name, value in told.items()) > _METADATA_CHARACTERS:
        told = {}  # the kept file has it
    return Entry(
        time=time,
        version=applied.version,
        previous=applied.previous,
        file=os.path.abspath(applied.file),  # noqa: PTH100 - as it was named: links may lead elsewhere tomorrow
        metadata=told,
        encoder_version=applied.encoder_version,
        worker=applied.worker,
        pid=os.getpid(),
        host=applied.host,
    )
