from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.errors import ConfigError, StartupError
from extproc_router.server import app
from extproc_router.wiring import building, serving
from extproc_router.wiring.serving import ServeOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.server.service import Runtime


def options(directory: Path, **changed: object) -> ServeOptions:
    fields = {
        "config": directory / "router.yaml",
        "model": directory / "model",
        "listen": f"unix:{directory}/x.sock",
        "health_listen": None,
        "metrics_listen": None,
        "drain_seconds": 0.0,
    }
    return ServeOptions(**{**fields, **changed})  # type: ignore[arg-type]


class Sinks:
    """Stands in for telemetry."""

    closed = False

    def applied(self, *_: object) -> None:
        pass

    def queue_changed(self, depth: int) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_addresses_are_looked_at_first(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot share"):
        serving.serve(options(tmp_path, workers=2))


def test_a_config_with_mistakes_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sinks = Sinks()
    monkeypatch.setattr(serving, "build_telemetry", lambda: sinks)
    (tmp_path / "router.yaml").write_text("models: []\n")
    with pytest.raises(ConfigError):
        serving.serve(options(tmp_path))
    assert sinks.closed


CASCADES = """
models: [{name: a, cluster: a}, {name: b, cluster: b}]
rules: [{name: doubtful, when: {stream: true}, use: [a, b], cascade: {}}]
routing: {default: a}
"""


def served(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_encoder: Any,
    *,
    ran: list[Runtime] | None = None,
    **changed: object,
) -> app.Settings:
    """Have a worker begin; returns how it was told to listen, and adds what it ran to `ran`."""
    told: list[app.Settings] = []

    async def serve(settings: app.Settings, load: Callable[[], Runtime], *_: object, **__: object) -> None:
        told.append(settings)
        runtime = load()
        ([] if ran is None else ran).append(runtime)
        runtime.release()

    monkeypatch.setattr(app, "serve", serve)
    monkeypatch.setattr(building, "load_encoder", lambda *_, **__: make_encoder())
    monkeypatch.setattr(serving, "build_telemetry", Sinks)
    (directory / "router.yaml").write_text(CASCADES)
    serving.serve(options(directory, **changed))
    return told[0]


def test_cascades_that_nobody_judges_are_chains_alone_and_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_encoder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[Runtime] = []
    assert served(tmp_path, monkeypatch, make_encoder, ran=ran).verify is None
    assert "nobody judges the answers of the cascades of doubtful" in caplog.text
    assert [route.cascade for route in ran[0].router.terms.policy.routes] == [None]


def test_of_several_workers_the_first_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_encoder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    listen, verify = f"unix:{tmp_path}/x-{{worker}}.sock", f"unix:{tmp_path}/v.sock"
    many: dict[str, Any] = {"listen": listen, "verify_listen": verify, "workers": 2}
    ran: list[Runtime] = []
    first = served(tmp_path, monkeypatch, make_encoder, ran=ran, **many, worker=0)
    assert str(first.verify) == verify
    assert ran[0].router.terms.policy.routes[0].cascade
    assert served(tmp_path, monkeypatch, make_encoder, **many, worker=1).verify is None
    assert "nobody judges" not in caplog.text
