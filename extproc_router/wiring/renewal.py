"""The files of a worker, and what was last built from them."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from extproc_router.config import loader
from extproc_router.encoder import Encoder, manifest, recent
from extproc_router.errors import ArtefactError, ConfigError, RouterError, StartupError
from extproc_router.server import considerate, state
from extproc_router.server.proving import Prover
from extproc_router.server.reloader import Applied, Rejected, Unchanged
from extproc_router.wiring import building, runtimes
from extproc_router.wiring.looking import Looker, Seen
from extproc_router.wiring.runtimes import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from extproc_router.config.loader import Config
    from extproc_router.server.reloader import Outcome
    from extproc_router.server.service import Runtime
    from extproc_router.server.state import State
    from extproc_router.wiring.sinks import Telemetry


log = logging.getLogger(__name__)


class Files(Struct, frozen=True):
    """What a worker is made of.

    Attributes:
        config: the policy.
        model: directory of the encoder artefact.
        envoy: the envoy.yaml that the policy is proved against, if any.
        allow_unproved: whether what the proof does not understand is let pass.
        trusted: names of Envoy's HTTP filters that the proof takes for harmless.
        remember: how many answers the encoder keeps.
        judges: whether the answers of cascades can be judged; where not, those rules fall back alone.
        last_good: state directory whose last version of this config runs where the file is refused at the start; None
            for none.
    """

    config: Path
    model: Path
    envoy: Path | None = None
    allow_unproved: bool = False
    trusted: tuple[str, ...] = ()
    remember: int = recent.ENTRIES
    judges: bool = True
    last_good: Path | None = None


class _Running(Struct, frozen=True):
    """What serves, or is to: what it was built from, with what, and what its author says of it."""

    seen: Seen
    encoder: Encoder
    parts: Parts
    metadata: dict[str, str]
    unix_time: float


class Renewal:
    """Builds a runtime, and another one whenever the files have changed; tells and keeps what came of it.

    Args:
        files: to build from.
        telemetry: told of the encoder's queue, and of what is applied and refused.
        kept: the state directory.
        worker: this worker's index.
        workers: how many there are.
        pause: waits so many seconds and returns whether to end; None for what `stop` ends.
    """

    def __init__(
        self,
        files: Files,
        telemetry: Telemetry,
        kept: State,
        *,
        worker: int = 0,
        workers: int = 1,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._files = files
        self._telemetry = telemetry
        self._state = kept
        self._worker, self._workers = worker, workers
        self._started = time.time()
        self._ended = threading.Event()
        self._looker = Looker(files.config, files.model, files.envoy, pause or self._ended.wait)
        # What ran last is asked by these: two instances may share a state directory.
        self._file = os.path.abspath(files.config)  # noqa: PTH100 - in the one form that a path with .. has
        self._host = socket.gethostname()
        self._prover = (
            Prover(files.envoy, files.model, allow_unproved=files.allow_unproved, trusted=files.trusted)
            if files.envoy
            else None
        )
        self._running: _Running | None = None
        self._next: _Running | None = None
        self._max_body_bytes: int | None = None
        self._warned_of = ""
        # Of the config that was tried last: one that is missing may come.
        self._tokenizers: frozenset[Path] = frozenset()

    @property
    def version(self) -> str:
        """Of the config that serves; empty before one does."""
        return self._running.seen.version if self._running else ""

    def watched(self) -> Collection[Path]:
        """Return every file that matters."""
        files = self._files
        paths = {files.config, files.model / manifest.FILE_NAME, *self._tokenizers}
        if files.envoy:
            paths.add(files.envoy)
        # A manifest may come before the files that it names.
        with suppress(ArtefactError):
            paths.update(files.model / name for name in manifest.read(files.model).paths())
        return paths

    def start(self) -> Runtime:
        """Build the first one; where the config is refused, and that is wanted, from the version that ran last.

        Raises:
            StartupError: a file cannot be read, or the proof fails.
            ConfigError: the config has mistakes.
            ArtefactError: the encoder artefact is missing, corrupt or does not fit.
        """
        try:
            runtime = self._build(self._looker.still(()))
        except (ConfigError, StartupError) as error:
            text = self._last_good()
            if text is None:
                raise
            runtime = self._build(self._looker.look((), text))
            log.error("the config is refused, so the version that ran last runs again: %s", error)  # noqa: TRY400 - that says all
        self._apply()
        return runtime

    def _last_good(self) -> bytes | None:
        """Return the config that this file held when it was last applied; None where that is not known."""
        directory = self._files.last_good
        if directory is None:
            return None
        with suppress(StartupError):
            mine = self._file, self._host
            history = state.history(directory)
            versions = [entry.version for entry in history if (entry.file, entry.host) == mine]
            if versions:
                return state.text_of(directory, versions[-1])[1]
        return None

    def renew(self) -> Outcome:
        """Build another one where the files have changed; `settle` has to follow."""
        version = ""
        try:
            running = self._running
            tokenizers = [path for path, _ in running.parts.tokenizers] if running else []
            seen = self._looker.look(tokenizers)
            if running and seen == running.seen:
                return Unchanged()
            seen = self._looker.still(tokenizers)
            version = seen.version
            self._warn_of_envoy(seen)
            if running and replace(seen, envoy=running.seen.envoy) == running.seen:
                if seen != running.seen:
                    self._prove(seen.text)
                    self._running = replace(running, seen=seen)
                return Unchanged()
            runtime = self._build(seen)
        except ConfigError as error:
            return Rejected(version, tuple(str(mistake) for mistake in error.mistakes))
        except RouterError as error:
            return Rejected(version, tuple(str(error).splitlines()))
        return Applied(version, runtime.router.terms.encoder_version, runtime)

    def settle(self, outcome: Outcome) -> None:
        """Tell and keep what came of it."""
        if isinstance(outcome, Applied):
            self._apply()
        elif isinstance(outcome, Rejected):
            self._telemetry.reloaded("rejected", len(outcome.mistakes))
            self._report(outcome)
        else:
            self._telemetry.reloaded("unchanged", 0)
            self._report()

    def stop(self) -> None:
        """Cut short what waits: for files to come to rest, or for a proof."""
        self._ended.set()
        if self._prover:
            self._prover.stop()

    def _build(self, seen: Seen) -> Runtime:
        self._prove(seen.text)
        files, running = self._files, self._running
        with considerate.considerate():
            config = loader.load(seen.text, str(files.config))
        self._tokenizers = frozenset(building.tokenizers(config).values())
        self._refuse_what_needs_a_restart(config)
        same = running is not None and running.seen.artefact == seen.artefact
        encoder = running.encoder if running and same else building.load_encoder(files.model, remember=files.remember)
        with considerate.considerate():
            before = running.parts if running else None
            built = runtimes.build(config, encoder, self._telemetry, before=before, judges=files.judges)
        if not files.judges and (names := [rule.name for _, rule in config.entries("rules") if rule.cascade]):
            log.warning(
                "without --verify-listen nobody judges the answers of the cascades of %s: they are chains alone",
                ", ".join(names),
            )
        self._max_body_bytes = self._max_body_bytes or config.limits.max_body_bytes
        self._next = _Running(
            seen=replace(seen, tokenizers=frozenset(built.parts.tokenizers)),
            encoder=encoder,
            parts=built.parts,
            metadata=config.metadata,
            unix_time=time.time(),
        )
        return built.runtime

    def _prove(self, text: bytes) -> None:
        if self._prover:
            mistakes = self._prover.mistakes(text, str(self._files.config))
            if mistakes:
                raise StartupError("\n".join(mistakes))

    def _warn_of_envoy(self, seen: Seen) -> None:
        running = self._running
        if running and seen.envoy not in {running.seen.envoy, self._warned_of}:
            self._warned_of = seen.envoy
            log.warning("%s has changed: what is proved with it holds once Envoy runs it, too", self._files.envoy)

    def _refuse_what_needs_a_restart(self, config: Config) -> None:
        wanted, most = config.limits.max_body_bytes, self._max_body_bytes
        if most is not None and wanted > most:
            message = f"{wanted} is more than the {most} that the router was started with: it needs a restart"
            raise ConfigError((config.document.mistake(("limits", "max_body_bytes"), message),))

    def _apply(self) -> None:
        before, now = self._running, self._next
        if now is None:  # pragma: no cover  # callers have built one
            raise AssertionError("there is nothing to apply")
        self._running, self._next = now, None
        self._telemetry.applied(now.seen.version, now.encoder.version, now.unix_time)
        if before:
            self._telemetry.reloaded("applied", 0)
        self._state.applied(
            state.Applied(
                version=now.seen.version,
                encoder_version=now.encoder.version,
                file=self._file,
                text=now.seen.text,
                metadata=now.metadata,
                worker=self._worker,
                unix_time=now.unix_time,
                previous=before.seen.version if before else "",
                host=self._host,
            )
        )
        self._report()

    def _report(self, rejected: Rejected | None = None) -> None:
        running = self._running
        if running is None:  # pragma: no cover  # nothing is refused before something runs
            return
        self._state.report(
            state.WorkerState(
                pid=os.getpid(),
                worker=self._worker,
                version=running.seen.version,
                encoder_version=running.encoder.version,
                applied_unix=running.unix_time,
                rejected_version=rejected.version if rejected else "",
                mistakes=rejected.mistakes if rejected else (),
                started_unix=self._started,
                workers=self._workers,
            )
        )
