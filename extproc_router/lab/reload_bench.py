"""What reloads cost those who are being served: `python -m extproc_router.lab.reload_bench --seconds 60`.

Real Envoy, the router with a config of 500 rules, load of requests that name their model; the same load once without
and once with a new config each second, put in place by rename and as Kubernetes updates a ConfigMap, in turn.
"""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.errors import StartupError
from extproc_router.lab import envoy_file, load, many_rules, probes, stack, swapping, upstream
from extproc_router.lab.processes import end_in_order_on_sigterm, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from extproc_router.lab.load import Result
    from extproc_router.lab.stack import Router

RULES, MODELS = 500, 50
EVERY_SECONDS = 1.0
CONNECTIONS = 4
WARM_UP_SECONDS = 2.0
# For the last one that was written, when the load is over.
SETTLE_SECONDS = 30.0
TARGET_MS = 20.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was found.

    Attributes:
        without: the load alone.
        during: the load beside reloads.
        written: new configs that were put in place.
        applied: those that the router began to run; where it is busy, one may come in the place of several.
        rejected: those that it refused.
        newest: whether it runs the last one at the end.
        growth_bytes: of its memory, over all reloads.
    """

    without: Result
    during: Result
    written: int
    applied: int
    rejected: int
    newest: bool
    growth_bytes: int

    @property
    def added_ms(self) -> float:
        """How much longer the slowest request took beside reloads."""
        return max(0.0, self.during.max_ms - self.without.max_ms)

    @property
    def is_right(self) -> bool:
        """Whether nothing went wrong; times are judged by people."""
        return self.newest and not self.without.errors and not self.during.errors and not self.rejected


class Editor(threading.Thread):
    """Puts a new config in place, again and again.

    Args:
        path: the config file.
        text: its content, less what tells one from the next.
        every: seconds between two.
    """

    def __init__(self, path: Path, text: str, *, every: float) -> None:
        super().__init__(name="editor", daemon=True)
        self._path, self._text, self._every = path, text, every
        self._over = threading.Event()
        self.written = 0
        self.version = ""

    def write(self) -> None:
        """Put one in place."""
        self.written += 1
        text = many_rules.edition(self._text, self.written)
        if self.written % 2:
            swapping.mount(self._path, text, self.written)
        else:
            swapping.rename(self._path, text)
        self.version = loader.version_of(text.encode())

    def run(self) -> None:
        """Edit until told to end."""
        while not self._over.wait(self._every):
            self.write()

    def end(self) -> None:
        """Write no more."""
        self._over.set()
        self.join()


def measure(
    *, seconds: float, every: float = EVERY_SECONDS, rules: int = RULES, connections: int = CONNECTIONS, prove: bool
) -> Figures:
    """Load without reloads, then with them.

    Args:
        seconds: of each.
        every: seconds between two new configs.
        rules: of each config.
        connections: of the load, each with one request at a time.
        prove: whether the router proves each against Envoy's file.

    Raises:
        StartupError: something does not start.
    """
    with ExitStack() as parts:
        directory = parts.enter_context(stack.workspace())
        (directory / "config").mkdir()
        config = directory / "config" / "router.yaml"
        editor = Editor(config, many_rules.text(rules, MODELS, stack.CLUSTERS), every=every)
        editor.write()
        base = envoy_file.rendered(wiring.read_config(config))
        arguments = [f"--state={directory / 'state'}"]
        if prove:
            arguments.append(f"--envoy={envoy_file.save(base, directory / 'proved.yaml')}")
        router = parts.enter_context(stack.router(directory, config=config, arguments=arguments))
        [port] = parts.enter_context(upstream.running(directory))
        clusters = dict.fromkeys(stack.CLUSTERS, f"127.0.0.1:{port}")
        clusters["extproc_router"] = f"unix:{router.socket}"
        envoy = parts.enter_context(stack.envoy(directory, clusters=clusters, base=base))
        bodies = load.bodies(directory / "bodies", model="model-1", tokens=64, count=256)

        def run(seconds: float) -> Result:
            return load.run(envoy.port, bodies, connections=connections, seconds=seconds, scratch=directory)

        run(WARM_UP_SECONDS)
        without, before = run(seconds), probes.resident_bytes(router.child.pid)
        editor.start()
        during = run(seconds)
        editor.end()
        return Figures(
            without=without,
            during=during,
            written=editor.written - 1,
            newest=_settles(router, editor.version),
            applied=_reloads(router, "applied"),
            rejected=_reloads(router, "rejected"),
            growth_bytes=probes.resident_bytes(router.child.pid) - before,
        )


def _settles(router: Router, version: str) -> bool:
    """Whether the router comes to run a version."""
    try:
        wait_until(lambda: f'config_version="{version}"' in _metrics(router), router.child, seconds=SETTLE_SECONDS)
    except StartupError:
        return False
    return True


def _reloads(router: Router, outcome: str) -> int:
    name = f'extproc_router_reloads_total{{outcome="{outcome}"}} '
    return next(
        (int(float(line.removeprefix(name))) for line in _metrics(router).splitlines() if line.startswith(name)), 0
    )


def _metrics(router: Router) -> str:
    return probes.get(router.metrics_port, "/metrics")[1].decode()


def report(figures: Figures) -> str:
    """Write the figures down for people."""
    lines = [f"{'':<18}{'requests':>10}{'errors':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"]
    for name, result in (("without reloads", figures.without), ("with reloads", figures.during)):
        lines.append(
            f"{name:<18}{result.requests:>10}{result.errors:>8}{result.p50_ms:>9.2f}{result.p99_ms:>9.2f}"
            f"{result.max_ms:>9.2f}"
        )
    lines.append(
        f"configs written {figures.written}, applied {figures.applied}, rejected {figures.rejected}; "
        f"the last one runs: {'yes' if figures.newest else 'no'}; memory grew by {figures.growth_bytes / 2**20:.1f} MiB"
    )
    lines.append(f"worst delay added {figures.added_ms:.1f} ms (target: below {TARGET_MS:g} ms)")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure, print; 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description="What reloads cost those who are being served.")
    parser.add_argument("--seconds", type=float, default=60.0, help="of load without and with reloads (%(default)s)")
    parser.add_argument("--every", type=float, default=EVERY_SECONDS, help="seconds between two configs (%(default)s)")
    parser.add_argument("--rules", type=int, default=RULES, help="of each config (%(default)s)")
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="of the load (%(default)s)")
    parser.add_argument("--prove", action="store_true", help="prove each config against Envoy's file")
    args = parser.parse_args(argv)
    end_in_order_on_sigterm()
    figures = measure(
        seconds=args.seconds, every=args.every, rules=args.rules, connections=args.connections, prove=args.prove
    )
    print(report(figures))
    return 0 if figures.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
