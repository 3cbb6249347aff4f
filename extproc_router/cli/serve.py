"""`extproc-router serve`: answer Envoy."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from extproc_router.cli import common
from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

REMEMBERED = 2048  # the encoder's own, which is heavy to import; a test compares
_MOST_REMEMBERED = 1_000_000  # some gigabytes

_EPILOG = """\
One worker uses one core for Python and one thread for the encoder. With several workers, give each its own unix
socket, unix:/run/extproc-{worker}.sock, and list them all as endpoints of Envoy's ext_proc cluster: Envoy keeps one
HTTP/2 connection per endpoint and thread, so a shared port leaves workers idle.

What is in the config, the artefact and the envoy.yaml is applied when it changes, and on SIGHUP. What has mistakes is
not: the log and the metrics say so, and what ran goes on.

Probes: gRPC health services `liveness` and `readiness`. SIGTERM drains. Decisions are JSON lines on stdout; what the
process has to say itself is on stderr. Spans are sent where OTEL_EXPORTER_OTLP_ENDPOINT is set.
"""


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "serve",
        help="answer Envoy",
        description="Serve Envoy's External Processing API.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common.add_config(parser)
    common.add_model(parser)
    common.add_state(parser)
    parser.add_argument(
        "--envoy",
        type=Path,
        metavar="FILE",
        help="the envoy.yaml in front: nothing is applied that `check` does not prove with it (default: not looked at)",
    )
    parser.add_argument(
        "--allow-unproved", action="store_true", help="with --envoy: apply what `check --allow-unproved` lets pass"
    )
    common.add_trust(parser)
    parser.add_argument(
        "--last-good",
        action="store_true",
        help="where the config is refused at the start, run the version of it that ran last, from the state directory; "
        "a worker that is started anew does so anyhow (default: end)",
    )
    parser.add_argument(
        "--listen",
        type=_address,
        default="127.0.0.1:9002",
        metavar="ADDRESS",
        help="host:port or unix:/path; {worker} stands for the worker's index (default: %(default)s)",
    )
    parser.add_argument(
        "--health-listen",
        metavar="ADDRESS",
        help="where probes ask too, e.g. 0.0.0.0:9003 (default: on --listen alone)",
    )
    parser.add_argument(
        "--verify-listen",
        type=_one_address,
        metavar="ADDRESS",
        help="where Envoy has the first answers of cascades judged, e.g. unix:/run/verifier.sock; of several workers "
        "the first one listens (default: nowhere, so every first answer is served)",
    )
    parser.add_argument(
        "--metrics-listen", type=_address, metavar="HOST:PORT", help="Prometheus metrics (default: none)"
    )
    parser.add_argument("--workers", type=_positive, default=1, metavar="N", help="processes (default: %(default)s)")
    parser.add_argument(
        "--drain-seconds",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="how long open streams may take at shutdown (default: %(default)s)",
    )
    parser.add_argument(
        "--remember",
        type=offline.whole(0, _MOST_REMEMBERED),
        default=REMEMBERED,
        metavar="N",
        help="answers of the encoder that each worker keeps, by a hash of the text; 0: none (default: %(default)s)",
    )
    parser.add_argument(
        "--core-dumps",
        action="store_true",
        help="let the kernel write memory to disk where the process crashes, prompts and all (default: never)",
    )
    parser.add_argument("--worker-of", type=int, help=argparse.SUPPRESS)  # set by the supervisor: how many there are
    parser.add_argument("--worker-index", type=int, default=0, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def _address(text: str) -> str:
    from extproc_router.server import addresses  # noqa: PLC0415 - other commands do without

    try:
        addresses.parse(text)
    except StartupError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _one_address(text: str) -> str:
    if "{" in text:
        raise argparse.ArgumentTypeError("the first worker alone listens there: no {worker} in this address")
    return _address(text)


def _absolute(path: Path) -> Path:
    try:
        beginning, steps = Path() if path.is_absolute() else Path.cwd(), [*path.parts]
        # The directory that we are in is named without links: .. is the one above, even once ours is gone.
        while steps[:1] == [".."]:
            beginning, steps = beginning.parent, steps[1:]
        return beginning.joinpath(*steps)
    except FileNotFoundError as error:
        raise StartupError(f"{path}: the directory that it begins in is gone") from error


def _positive(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 64:  # noqa: PLR2004 - no machine wants more beside one Envoy
        raise argparse.ArgumentTypeError("expected 1 to 64")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3600:  # noqa: PLR2004 - an hour
        raise argparse.ArgumentTypeError("expected 0 to 3600 seconds")
    return value


def run(args: argparse.Namespace) -> int:
    """Serve, as one worker or as the supervisor of several."""
    from extproc_router.server import hardening  # noqa: PLC0415 - other commands do without

    level = os.environ.get("EXTPROC_ROUTER_LOG_LEVEL", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        raise StartupError(f"EXTPROC_ROUTER_LOG_LEVEL={level}: expected one of DEBUG, INFO, WARNING, ERROR")
    logging.basicConfig(
        stream=sys.stderr,
        level=level,
        format=f"%(asctime)s %(levelname)s worker={args.worker_index} %(name)s: %(message)s",
    )
    hardening.harden(core_dumps=args.core_dumps)
    # Who sends one before we are ready means a config that is yet to be read.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Where we were started may be gone by the time at which a file is looked at again.
    given = {"config": args.config, "model": args.model, "envoy": args.envoy, "state": args.state}
    paths = {name: _absolute(path) for name, path in given.items() if path}
    if args.workers > 1:
        # The supervisor never imports gRPC: children are started before it exists anywhere.
        from extproc_router.server import workers  # noqa: PLC0415

        # The last of two options counts.
        arguments = [*sys.argv[1:], *(f"--{name}={path}" for name, path in paths.items())]
        return workers.supervise(args.workers, arguments, args.listen, args.metrics_listen, args.drain_seconds)
    from extproc_router import wiring  # noqa: PLC0415 - heavy, and the supervisor does without
    from extproc_router.server import state  # noqa: PLC0415 - likewise

    if args.worker_of:
        from extproc_router.server import workers  # noqa: PLC0415 - as above

        workers.end_with_parent()

    wiring.serve(
        wiring.ServeOptions(
            config=paths["config"],
            model=paths["model"],
            listen=args.listen,
            health_listen=args.health_listen,
            metrics_listen=args.metrics_listen,
            drain_seconds=args.drain_seconds,
            envoy=paths.get("envoy"),
            allow_unproved=args.allow_unproved,
            trusted=tuple(args.trust),
            state=paths.get("state") or state.default_directory(),
            last_good=args.last_good,
            remember=args.remember,
            verify_listen=args.verify_listen,
            worker=args.worker_index,
            workers=args.worker_of or 1,
        )
    )
    return 0
