"""`extproc-router status`: which version each worker runs, and whether they agree."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from extproc_router.server.state import Entry, Seen


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "status",
        help="show which version each worker runs, and whether they agree",
        description="Show what the workers of this machine run, from the state that `serve` keeps: a row for each, and "
        "what was wrong with the version that it last refused. Exit 0 where all that there should be live and run the "
        "same version, which is the config file's content where --config is given; 1 where not.",
    )
    common.add_state(parser)
    parser.add_argument("--config", type=Path, metavar="FILE", help="whether the workers run what is in this file now")
    parser.add_argument("--history", action="store_true", help="what was applied when, by which worker")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look and tell."""
    from extproc_router.server import state  # noqa: PLC0415 - other commands do without

    directory = common.state_directory(args)
    seen = state.workers(directory)
    entries = state.history(directory) if args.history else ()
    wanted = _version(args.config) if args.config else ""
    agreed, said = _verdict(seen, str(args.config), wanted)
    if args.json:
        document = {"directory": str(directory), "workers": [_described(each) for each in seen]}
        document |= {"config_version": wanted} if wanted else {}
        document |= {"history": [_noted(entry) for entry in entries]} if args.history else {}
        print(json.dumps({**document, "converged": agreed, "said": said}, indent=2))
    else:
        print("\n".join([*_page(seen, entries), said]))
    return 0 if agreed else 1


def _version(config: Path) -> str:
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.config import loader  # noqa: PLC0415 - likewise

    return loader.version_of(wiring.read_file(config))


def _verdict(seen: Sequence[Seen], file: str, wanted: str) -> tuple[bool, str]:
    """Return whether all is as it should be, and say so in a sentence."""
    living = [each.state for each in seen if each.alive]
    if not living:
        return False, "no worker is running"
    who = "the only living worker" if len(living) == 1 else f"the {len(living)} living workers"
    if not all(worker.version for worker in living):
        return False, f"of {who}, not all have started yet"
    missing = sorted({*range(max(worker.workers for worker in living))} - {worker.worker for worker in living})
    if missing:
        which = f"worker{'s' * (len(missing) > 1)} {', '.join(map(str, missing))}"
        return False, f"{who} should be more: {which} {'is' if len(missing) == 1 else 'are'} missing"
    for what in ("version", "encoder_version"):
        found = sorted({getattr(worker, what) for worker in living})
        if len(found) > 1:
            return False, f"{who} do not agree: {what} {', '.join(found)}"
    version = living[0].version
    told = f"{who} run{'s' * (len(living) == 1)} version {version}"
    if not wanted:
        return True, told
    return wanted == version, f"{told}; the content of {file} is {'that' if wanted == version else wanted}"


def _page(seen: Sequence[Seen], entries: Sequence[Entry]) -> Iterator[str]:
    from extproc_router.explaining.columns import columns, wrapped  # noqa: PLC0415 - not for JSON

    if seen:
        titles = ("worker", "pid", "state", "version", "since", "encoder", "refused")
        yield from columns([titles, *(_row(each) for each in seen)], indent="")
    # Workers that see the same file refuse it for the same reasons: told once.
    for version, mistakes in {each.state.rejected_version: each.state.mistakes for each in seen if each.alive}.items():
        if version:
            yield ""
            yield f"Refused: {version}"
            for mistake in mistakes:
                yield from wrapped("  ", mistake)
    if entries:
        yield ""
        yield "Applied, oldest first"
        rows = [("time", "version", "before", "worker", "pid", "encoder", "file; metadata")]
        for entry in entries:
            told = "; ".join([entry.file, *(f"{name}: {value}" for name, value in entry.metadata.items())])
            place = (str(entry.worker), str(entry.pid), entry.encoder_version)
            rows.append((entry.time, entry.version, entry.previous or "-", *place, told))
        yield from columns(rows)
    if seen or entries:
        yield ""


def _row(seen: Seen) -> tuple[str, ...]:
    worker = seen.state
    return (
        str(worker.worker),
        str(worker.pid),
        "alive" if seen.alive else "gone",
        worker.version or "-",
        _time(worker.applied_unix) if worker.version else "-",
        worker.encoder_version or "-",
        worker.rejected_version or "-",
    )


def _described(seen: Seen) -> dict[str, Any]:
    worker = seen.state
    return {
        "worker": worker.worker,
        "workers": worker.workers,
        "pid": worker.pid,
        "alive": seen.alive,
        "version": worker.version,
        "since": _time(worker.applied_unix),
        "encoder_version": worker.encoder_version,
        "rejected_version": worker.rejected_version,
        "mistakes": list(worker.mistakes),
        "started": _time(worker.started_unix),
    }


def _noted(entry: Entry) -> dict[str, Any]:
    from msgspec import structs  # noqa: PLC0415 - not for pages

    return structs.asdict(entry)


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
