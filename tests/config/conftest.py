from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from extproc_router.config import compiling, loader
from extproc_router.errors import ConfigError
from extproc_router.signals.base import Resources

if TYPE_CHECKING:
    from extproc_router.config.compiling import Compiled
    from extproc_router.types import Mistake

GOOD = """\
metadata: {name: test}
auto: [auto]
privacy_tiers: [public, restricted]
models:
  - name: small-8b
    cluster: small
    cost: {input: 0.1, output: 0.3}
    privacy: restricted
  - name: large-70b
    cluster: large
routing:
  default: small-8b
  confidence_floor: 0.4
  domains:
    math: large-70b
limits: {encoder_deadline_ms: 100}
"""

Review = Callable[..., tuple[list[str], list[str]]]
Compile = Callable[[str], "Compiled"]


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def changed() -> Callable[[str, str], str]:
    """The good config with one piece of text replaced, which must be there once."""

    def change(old: str, new: str) -> str:
        assert GOOD.count(old) == 1
        return GOOD.replace(old, new)

    return change


@pytest.fixture(scope="session")
def resources() -> Resources:
    """What an artefact might offer; no encoder runs."""
    return Resources(
        heads=frozenset({"difficulty", "domain", "jailbreak", "pii", "reasoning"}),
        domains=("computer science", "health", "law", "math"),
        confidence_floor=0.5,
        embed=lambda text: (1.0, 0.0) if len(text) % 2 else (0.0, 1.0),
    )


@pytest.fixture(scope="session")
def review(resources: Resources) -> Review:
    """All that is said of a text, as `line: field: message`: mistakes and, where there is none, warnings."""

    def said(text: str | bytes, resources: Resources = resources) -> tuple[list[str], list[str]]:
        mistakes: list[Mistake] = []
        warnings: list[Mistake] = []
        try:
            drafted = loader.draft(text, "r.yaml")
            mistakes += drafted.mistakes
            if drafted.config:
                warnings += compiling.compile_config(drafted.config, resources).warnings
        except ConfigError as error:
            mistakes += error.mistakes
        lines = [f"{mistake.line}: {mistake.field}: {mistake.message}" for mistake in mistakes]
        return lines, [] if lines else [f"{warning.line}: {warning.field}: {warning.message}" for warning in warnings]

    return said


@pytest.fixture(scope="session")
def compiled(resources: Resources) -> Compile:
    return lambda text: compiling.compile_config(loader.load(text, "r.yaml"), resources)
