"""Prometheus metrics.

Labels are names from the config and from our own enums; nothing that a client can make up becomes a label.
With several workers prometheus_client keeps values in files that the supervisor merges
(`PROMETHEUS_MULTIPROC_DIR`, set before this module is imported).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from extproc_router import __version__

if TYPE_CHECKING:
    from extproc_router.types import Record
    from extproc_router.verifier.judged import Judged

# Seconds. Decisions without the encoder take tens of microseconds, those with it some milliseconds.
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """What /metrics shows.

    Args:
        registry: where to register; tests bring their own.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._decisions = Counter(
            "extproc_router_decisions", "Decisions, by chosen model and reason", ("model", "reason"), registry=registry
        )
        self._sheds = Counter(
            "extproc_router_sheds",
            "Decisions made by the default because the encoder was",
            ("cause",),
            registry=registry,
        )
        self._failures = Counter(
            "extproc_router_failures", "Messages and streams that went wrong", ("kind",), registry=registry
        )
        self._encoder_seconds = Histogram(
            "extproc_router_encoder_seconds",
            "Time to get an answer from the encoder, waiting included",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._total_seconds = Histogram(
            "extproc_router_decision_seconds",
            "Time from the complete request to the answer",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._queue = Gauge(
            "extproc_router_encoder_queue_depth",
            "Prompts that wait for the encoder or run in it",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._streams = Gauge(
            "extproc_router_open_streams",
            "Streams that Envoy has open",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._build_info = Gauge(
            "extproc_router_build_info",
            "1, labelled with what runs",
            ("version", "config_version", "encoder_version"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._reloads = Counter(
            "extproc_router_reloads",
            "Looks at config, artefact and envoy.yaml that were asked for, by what came of them",
            ("outcome",),
            registry=registry,
        )
        self._mistakes = Gauge(
            "extproc_router_config_mistakes",
            "What was wrong with the files when they were last looked at; 0 where they run",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._applied = Gauge(
            "extproc_router_config_applied_timestamp_seconds",
            "When what runs began to; of several workers, the one that has run it longest",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._shown: tuple[str, str, str] | None = None
        self._rules = Counter("extproc_router_rules", "Decisions by a rule", ("rule",), registry=registry)
        self._safety = Counter(
            "extproc_router_safety", "Safety rules that applied, as name=action", ("rule",), registry=registry
        )
        self._shadow = Counter(
            "extproc_router_shadow", "What shadow rules would have done", ("outcome",), registry=registry
        )
        self._absent = Counter(
            "extproc_router_signals_absent", "Signals that could not be read", ("signal", "cause"), registry=registry
        )
        self._cascades = Counter(
            "extproc_router_cascades",
            "Cascades, by rule and by what came of their first answer",
            ("rule", "verdict"),
            registry=registry,
        )
        self._cascade_cost = Counter(
            "extproc_router_cascade_cost_usd",
            "What the attempts of cascades cost, by the config's prices",
            ("model",),
            registry=registry,
        )
        # Looking a child up costs more than counting on it.
        self._children: dict[tuple[str, str], Counter] = {}

    def applied(self, config_version: str, encoder_version: str, unix_time: float) -> None:
        """Show what runs, in place of what ran before.

        Args:
            config_version: hash of the config.
            encoder_version: hash of the artefact.
            unix_time: since when, in seconds since the epoch.
        """
        shown = __version__, config_version, encoder_version
        if self._shown and self._shown != shown:
            # With several workers its value stays in a file after it is removed here.
            self._build_info.labels(*self._shown).set(0)
            with warnings.catch_warnings(action="ignore"):
                self._build_info.remove(*self._shown)
        self._shown = shown
        self._build_info.labels(*shown).set(1)
        self._applied.set(unix_time)

    def reloaded(self, outcome: str, mistakes: int) -> None:
        """Count a look at the files: `applied`, `unchanged` or `rejected`, and how many mistakes there were."""
        self._reloads.labels(outcome).inc()
        self._mistakes.set(mistakes)

    def stream_opened(self) -> None:
        """Count one more open stream."""
        self._streams.inc()

    def stream_closed(self) -> None:
        """Count one less."""
        self._streams.dec()

    def queue_changed(self, depth: int) -> None:
        """Show the encoder's queue."""
        self._queue.set(depth)

    def decided(self, record: Record) -> None:
        """Count a decision and its times."""
        decision = record.decision
        key = (decision.model, decision.reason.value)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._decisions.labels(*key)
        child.inc()
        self._total_seconds.observe(record.total_seconds)
        if record.encoder_seconds is not None:
            self._encoder_seconds.observe(record.encoder_seconds)
        if record.shed:
            self._sheds.labels(record.shed).inc()
        if decision.rule:
            self._rules.labels(decision.rule).inc()
        for told in decision.safety:
            self._safety.labels(told).inc()
        for told in decision.shadow:
            self._shadow.labels(told).inc()
        for signal in decision.signals:
            if signal.absent:
                self._absent.labels(signal.name, signal.absent).inc()

    def judged(self, judged: Judged) -> None:
        """Count a cascade and what its attempts cost."""
        self._cascades.labels(judged.rule, judged.verdict.value).inc()
        for paid in judged.attempts:
            self._cascade_cost.labels(paid.model).inc(paid.cost_usd)

    def failed(self, kind: str) -> None:
        """Count what else went wrong."""
        self._failures.labels(kind).inc()
