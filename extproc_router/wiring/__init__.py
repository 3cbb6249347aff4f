"""Config + artefact -> what runs: the only room that knows every other."""

from __future__ import annotations

from extproc_router.wiring.building import (
    build_router,
    compile_config,
    counters,
    decide,
    load_encoder,
    read_all,
    read_config,
    read_file,
    resources,
)
from extproc_router.wiring.runtimes import build_runtime
from extproc_router.wiring.serving import ServeOptions, serve
from extproc_router.wiring.sinks import Telemetry, build_telemetry

__all__ = [
    "ServeOptions",
    "Telemetry",
    "build_router",
    "build_runtime",
    "build_telemetry",
    "compile_config",
    "counters",
    "decide",
    "load_encoder",
    "read_all",
    "read_config",
    "read_file",
    "resources",
    "serve",
]
