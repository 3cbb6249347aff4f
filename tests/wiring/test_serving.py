from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import ConfigError, StartupError
from extproc_router.wiring import serving
from extproc_router.wiring.serving import ServeOptions

if TYPE_CHECKING:
    from pathlib import Path


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


def test_addresses_are_looked_at_first(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot share"):
        serving.serve(options(tmp_path, workers=2))


def test_a_config_with_mistakes_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Sinks:
        closed = False

        def close(self) -> None:
            self.closed = True

    sinks = Sinks()
    monkeypatch.setattr(serving, "build_telemetry", lambda: sinks)
    (tmp_path / "router.yaml").write_text("models: []\n")
    with pytest.raises(ConfigError):
        serving.serve(options(tmp_path))
    assert sinks.closed
