from __future__ import annotations

import pytest

from extproc_router.errors import EncoderFailed
from extproc_router.types import Classification, Encoding


class Labels:
    """Stands in for an artefact: what a config is compiled against."""

    name, version, confidence_floor = "stand-in", "v", 0.33
    labels, signals = ("math", "law"), ("domain",)


class Spy(Labels):
    """An encoder that is sure of mathematics, and fails at `bad`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, frozenset[str]]] = []

    def encode(self, text: str, signals: frozenset[str], *, embedding: bool) -> Encoding:
        self.asked.append((text, signals))
        if text == "bad":
            raise EncoderFailed("it broke")
        math = Classification("math", 0.9, {"math": 0.9})
        return Encoding({"domain": math}, {"domain": 1}, 1, windowed=False)


class Sinks:
    """Stands in for telemetry: remembers what is applied and refused."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.outcomes: list[tuple[str, int]] = []

    def applied(self, config_version: str, encoder_version: str, unix_time: float) -> None:
        self.versions.append(config_version)

    def reloaded(self, outcome: str, mistakes: int) -> None:
        self.outcomes.append((outcome, mistakes))

    def queue_changed(self, depth: int) -> None:
        pass


@pytest.fixture
def make_encoder() -> type[Spy]:
    return Spy


@pytest.fixture
def sinks() -> Sinks:
    return Sinks()
