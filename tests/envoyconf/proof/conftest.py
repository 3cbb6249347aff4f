"""The shipped envoy.yaml with one thing changed, and what is proved of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from extproc_router.config import compiling, loader
from extproc_router.envoyconf import render
from extproc_router.envoyconf.proof import prove
from extproc_router.envoyconf.proof.message import members
from extproc_router.signals.base import Resources
from tests.envoyconf.conftest import Edit

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.envoyconf.place import Place
    from extproc_router.envoyconf.proof import Proof
    from extproc_router.policy.engine import Policy
    from tests.envoyconf.conftest import Read

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
CASCADES = """
privacy_tiers: [public, internal, restricted]
models:
- {name: local, cluster: small, privacy: restricted}
- {name: spare, cluster: vault, privacy: restricted}
- {name: near, cluster: large, privacy: internal}
- {name: far, cluster: code, privacy: public}
rules: [{name: cost-saver, when: {stream: true}, use: [far, near, local], cascade: {}}]
fallback: {models: [spare]}
routing: {default: far}
"""
CONFIGS = {
    # By header alone. The default route of the shipped file leads to `small`, cleared for everything.
    "tiers": TIERS,
    "restricts": f"{TIERS}\nsafety: [{{name: words, when: {{tools: true}}, then: restrict, tier: internal}}]",
    "blocks": f"{TIERS}\nsafety: [{{name: attacks, when: {{tools: true}}, then: block}}]",
    # With chains and cascades; the file is rendered.
    "cascades": CASCADES,
    "mixed": CASCADES.replace("cluster: vault, privacy: restricted", "cluster: code, privacy: restricted"),
    "blocking cascades": f"{CASCADES}\nsafety: [{{name: attacks, when: {{tools: true}}, then: block}}]",
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
    """Prove the shipped file after a change, for one of `CONFIGS` or a text; where that has a cascade, one like it."""

    def run(change: Callable[[Edit], object], text: str = "tiers", trusted: frozenset[str] = frozenset()) -> Attempted:
        config = loader.load(CONFIGS.get(text, text), "router.yaml")
        edit = Edit(_plain(render.bootstrap(config))) if "cascade: {}" in CONFIGS.get(text, text) else fresh()
        change(edit)
        return Attempted(prove(config, compiled(text), read(edit.data), trusted=trusted))

    return run


def _plain(text: str) -> dict[str, Any]:
    """Read YAML; what stands behind an alias is a copy."""
    data: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(text)))
    return data


@pytest.fixture
def said(read: Read) -> Said:
    """Data as a message that has been read."""
    return lambda data: members(read(data))
