from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc_router.config import compiling, loader
from extproc_router.envoyconf import bootstrap
from extproc_router.envoyconf.proof import Examined, prove
from extproc_router.lab import envoy_file
from extproc_router.signals.base import Resources

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.config.loader import Config
    from extproc_router.envoyconf.proof import Proof
    from extproc_router.policy.engine import Policy
    from tests.envoyconf.conftest import Edit, Read
    from tests.envoyconf.proof.conftest import Attempt

DOMAINS = ("computer science", "health")


def policy_of(config: Config) -> Policy:
    """Compile an example; whatever domains its table names, there are."""
    resources = Resources(
        heads=frozenset({"domain", "difficulty", "jailbreak", "pii"}),
        domains=tuple({*config.routing.domains, *DOMAINS}),
        confidence_floor=0.0,
        embed=lambda _: (1.0,),
    )
    return compiling.compile_config(config, resources).policy


def test_nothing_to_prove(attempt: Attempt) -> None:
    found = attempt(lambda e: e.routes.clear(), "nothing")
    assert (found.proved, found.proof.needed, found.proof.examined) == (True, False, Examined())


def test_what_was_looked_at_is_counted(attempt: Attempt) -> None:
    assert attempt(lambda _: None, "restricts").proof.examined == Examined(tiers=3, rules=2, routes=4, clusters=5)


def of(root: Path, name: str, read: Read, *, closed: bool = False) -> Proof:
    """Prove an example against the shipped file with that example's clusters."""
    config = loader.load((root / name).read_text(), name)
    clusters = tuple(dict.fromkeys(candidate.cluster for candidate in config.candidates))
    [default] = [candidate.cluster for candidate in config.candidates if candidate.name == config.routing.default]
    data = envoy_file.fitted(envoy_file.load(), clusters=clusters, default=default, lowest_tier=config.privacy_tiers[0])
    if closed:
        manager = data["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        [route] = [
            entry for entry in manager["route_config"]["virtual_hosts"][0]["routes"] if entry["name"] == "default"
        ]
        route["route"] = {"cluster": "nowhere"}
    return prove(config, policy_of(config), read(data))


def test_the_shipped_file_is_proved_for_the_quickstart(root: Path) -> None:
    config = loader.load((root / "examples/quickstart.yaml").read_text(), "quickstart.yaml")
    assert prove(config, policy_of(config), bootstrap.read(root / "envoy/envoy.yaml")).proved


@pytest.mark.parametrize(("name", "open_too"), [("privacy-first", True), ("safety-gate", False)])
def test_examples_with_safety_rules_need_a_default_that_is_closed_or_cleared(
    root: Path, read: Read, name: str, open_too: bool
) -> None:
    path = f"examples/{name}/router.yaml"
    assert of(root, path, read).proved is open_too
    assert of(root, path, read, closed=True).proved


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", [], {}, [None], [[]], {"x": None}, [{}], {"@type": "x"}]
)


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_in_any_place_is_no_crash(attempt: Attempt, data: st.DataObject) -> None:
    def change(edit: Edit) -> None:
        at: Any = edit.data if data.draw(st.booleans()) else edit.manager
        while True:
            entries = [key for key in (at if isinstance(at, dict) else range(len(at))) if key != "@type"]
            key = data.draw(st.sampled_from(entries))
            if not at[key] or not isinstance(at[key], dict | list) or data.draw(st.integers(0, 5)) == 0:
                at[key] = deepcopy(data.draw(JUNK))
                return
            at = at[key]
            if not [key for key in (at if isinstance(at, dict) else range(len(at))) if key != "@type"]:
                return

    found = attempt(change, "restricts").proof
    assert all(mistake.line >= 1 and mistake.message for mistake in (*found.leaks, *found.unproved))
