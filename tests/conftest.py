from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from extproc_router.errors import EncoderFailed
from extproc_router.lab import searching
from extproc_router.types import Classification, Encoding, Flag, HeadAnswer, Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator
    from contextlib import AbstractContextManager

# The same examples on every machine and run; a slow machine is no failure.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parents[1]
MARKED = searching.Searcher([searching.MARKER])


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def kept_apart() -> Iterator[None]:
    """What tests serve keeps its state in a directory of theirs, not in the user's."""
    with tempfile.TemporaryDirectory(prefix="extproc-tests-") as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXTPROC_ROUTER_STATE", directory)
        yield
        assert MARKED.files(Path(directory)) == []


@pytest.fixture(scope="session", autouse=True)
def nothing_at_rest() -> Iterator[None]:
    """Every directory in which something ran is searched before it is removed: no file may hold a test's prompt."""
    stack = sys.modules.get("extproc_router.lab.stack")  # heavy: whoever wants it has it by now
    with pytest.MonkeyPatch.context() as patch:
        if stack:
            patch.setattr(stack, "workspace", _searched(stack.workspace))
        yield


def _searched(workspace: Callable[[], AbstractContextManager[Path]]) -> Callable[[], AbstractContextManager[Path]]:
    @contextmanager
    def search_at_the_end() -> Iterator[Path]:
        with workspace() as directory:
            yield directory
            assert MARKED.files(directory) == []

    return search_at_the_end


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that printed or logged a test's prompt."""
    report = yield
    said = "\n".join(text for _, text in report.sections).encode(errors="backslashreplace")
    if report.passed and MARKED.bytes("what was printed", said):
        report.outcome, report.longrepr = "failed", f"{searching.MARKER}: a prompt was printed or logged (see below)"
    return report


class ScriptedEncoder:
    """Stands in for an artefact: words in the text say what its heads answer.

    `math` is of that domain, `perhaps` of it with little confidence; `attack` is one, `hard` is hard, `why` pays to
    reason about, and `broken` makes it fail.
    """

    name, version, confidence_floor = "scripted", "e0", 0.5
    labels = ("math", "other")
    signals = ("domain", "difficulty", "jailbreak", "pii", "reasoning")
    enabled = signals

    def encode(self, text: str, signals: Collection[str] | None = None, *, embedding: bool = False) -> Encoding:
        if "broken" in text:
            raise EncoderFailed("scripted")
        words = text.split()
        p = 0.9 if "math" in words else 0.4 if "perhaps" in words else 0.1
        label = "other" if p < 0.2 else "math"
        score, attack, why = (0.9 if word in words else 0.1 for word in ("hard", "attack", "why"))
        answers: dict[str, HeadAnswer] = {
            "domain": Classification(label, 1 - p if label == "other" else p, {"math": p, "other": 1 - p}),
            "difficulty": Pair(0.9, 1 - score, score),
            "jailbreak": Flag(attack, raised=attack > 0.5),
            "pii": (),
            "reasoning": Flag(why, raised=why > 0.5),
        }
        asked = {name: answers[name] for name in (self.signals if signals is None else signals)}
        vector = (1.0, 0.0) if embedding else None
        return Encoding(asked, dict.fromkeys(asked, 1), len(words), windowed=False, embedding=vector)

    def embed(self, text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([1.0, 0.0] if text else [0.0, 1.0])


@pytest.fixture
def scripted_encoder() -> ScriptedEncoder:
    return ScriptedEncoder()


# Every kind of rule that decisions are told of.
TOLD_CONFIG = """\
privacy_tiers: [public, restricted]
models:
  - {name: small, cluster: s, cost: {input: 1, output: 2}, privacy: restricted, reasoning: enable_thinking}
  - {name: large, cluster: l, cost: {input: 10, output: 20}, modalities: [], reasoning: enable_thinking}
  - {name: free, cluster: f, modalities: [image]}
signals:
  - {kind: header, name: tenant, header: x-tenant}
  - {kind: header, name: plan, header: x-plan, values: [gold, basic]}
  - {kind: keyword, name: rude, keywords: [damn]}
safety:
  - {name: attacks, when: {jailbreak: true}, then: block}
  - {name: manners, when: {rude: true}, then: refuse, message: Please do not swear.}
  - {name: cards, when: {pii: [CREDIT_CARD]}, then: redact}
  - {name: private, when: {pii: true}, then: restrict}
rules:
  - {name: acme, when: {tenant: acme}, use: free}
  - {name: soak, when: {length: {above: 3}}, use: free, percent: 0.001}
  - name: maths
    when: {domain: math}
    use: {pick: threshold, strong: large, weak: small, at: 0.5}
    reasoning: auto
    max_tokens: 100
  - {name: shady, when: {stream: true}, use: free, shadow: true}
  - {name: gold, when: {plan: gold}, use: [large, free]}
routing: {default: small, unrouted: pass}
"""


@pytest.fixture
def told_config() -> str:
    return TOLD_CONFIG
