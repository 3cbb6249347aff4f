"""The shipped envoy.yaml with one thing changed, and what is proved of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from extproc_router.config import compiling, loader
from extproc_router.envoyconf.proof import prove
from extproc_router.envoyconf.proof.message import members
from extproc_router.signals.base import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.envoyconf.place import Place
    from extproc_router.envoyconf.proof import Proof
    from extproc_router.policy.engine import Policy
    from tests.envoyconf.conftest import Edit, Read

    Attempt: TypeAlias = Callable[..., "Attempted"]
    Said: TypeAlias = Callable[[Any], dict[str, Place]]
    Compile: TypeAlias = Callable[[str], Policy]

TIERS = """
privacy_tiers: [public, internal, restricted]
models:
- {name: local, cluster: small, privacy: restricted}
- {name: near, cluster: large, privacy: internal}
- {name: far, cluster: code, privacy: public}
rules: [{name: cost-saver, when: {stream: true}, use: [far, local]}]
routing: {default: far}
"""
CONFIGS = {
    # By header alone. The default route of the shipped file leads to `small`, cleared for everything.
    "tiers": TIERS,
    "restricts": f"{TIERS}\nsafety: [{{name: words, when: {{tools: true}}, then: restrict, tier: internal}}]",
    "blocks": f"{TIERS}\nsafety: [{{name: attacks, when: {{tools: true}}, then: block}}]",
    "nothing": "models: [{name: local, cluster: small}]\nrouting: {default: local}",
}


class Attempted:
    """A proof, in words: `leaks` are stories, `doubts` begin with their field."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.proved = proof.proved
        self.leaks = [mistake.message for mistake in proof.leaks]
        self.doubts = [f"{mistake.field}: {mistake.message.removeprefix('not proved: ')}" for mistake in proof.unproved]


@pytest.fixture
def compiled() -> Compile:
    """The policy of one of `CONFIGS`, or of a text."""
    resources = Resources(heads=frozenset(), domains=(), confidence_floor=0.0, embed=lambda _: ())

    def run(text: str) -> Policy:
        return compiling.compile_config(loader.load(CONFIGS.get(text, text), "router.yaml"), resources).policy

    return run


@pytest.fixture
def attempt(fresh: Callable[[], Edit], read: Read, compiled: Compile) -> Attempt:
    """Prove the shipped file after a change, for one of `CONFIGS` or a text."""

    def run(change: Callable[[Edit], object], text: str = "tiers", trusted: frozenset[str] = frozenset()) -> Attempted:
        edit = fresh()
        change(edit)
        config = loader.load(CONFIGS.get(text, text), "router.yaml")
        return Attempted(prove(config, compiled(text), read(edit.data), trusted=trusted))

    return run


@pytest.fixture
def said(read: Read) -> Said:
    """Data as a message that has been read."""
    return lambda data: members(read(data))
