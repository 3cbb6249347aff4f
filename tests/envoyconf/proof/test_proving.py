from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc_router.config import compiling, loader
from extproc_router.envoyconf import bootstrap, render
from extproc_router.envoyconf.proof import Examined, prove
from extproc_router.signals.base import Resources

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.config.loader import Config
    from extproc_router.envoyconf.proof import Proof
    from extproc_router.policy.engine import Policy
    from tests.envoyconf.conftest import Edit, Read
    from tests.envoyconf.proof.conftest import Attempt

DOMAINS = ("computer science", "health", "law", "math", "physics")


def policy_of(config: Config) -> Policy:
    """Compile an example; whatever domains its table names, there are."""
    resources = Resources(
        heads=frozenset({"domain", "difficulty", "jailbreak", "pii", "reasoning"}),
        domains=tuple({*config.routing.domains, *DOMAINS}),
        confidence_floor=0.0,
        embed=lambda _: (1.0,),
    )
    return compiling.compile_config(config, resources).policy


def test_nothing_to_prove(attempt: Attempt) -> None:
    found = attempt(lambda e: e.routes.clear(), "nothing")
    assert (found.proved, found.proof.needed, found.proof.examined) == (True, False, Examined())


def test_what_was_looked_at_is_counted(attempt: Attempt, shipped: dict[str, Any]) -> None:
    resources = shipped["static_resources"]
    [manager] = [entry["typed_config"] for entry in resources["listeners"][0]["filter_chains"][0]["filters"]]
    routes = len(manager["route_config"]["virtual_hosts"][0]["routes"])
    examined = Examined(tiers=3, rules=2, routes=routes, clusters=len(resources["clusters"]))
    assert attempt(lambda _: None, "restricts").proof.examined == examined


def of(root: Path, name: str, read: Read, *, plain: bool = False, opened: bool = False) -> Proof:
    """Prove an example against the file that is rendered from it; opened, what nobody decided goes to the default."""
    config = loader.load((root / name).read_text(), name)
    text = render.bootstrap(config, plain=plain)
    if opened:
        data = yaml.safe_load(text)
        manager = data["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        manager["route_config"]["virtual_hosts"][0]["routes"][-1]["route"] = {"cluster": _default(config)}
        return prove(config, policy_of(config), read(data))
    return prove(config, policy_of(config), read(text))


def _default(config: Config) -> str:
    [cluster] = [candidate.cluster for candidate in config.candidates if candidate.name == config.routing.default]
    return cluster


def test_the_shipped_file_is_proved_for_the_quickstart(root: Path) -> None:
    config = loader.load((root / "examples/quickstart.yaml").read_text(), "quickstart.yaml")
    assert prove(config, policy_of(config), bootstrap.read(root / "envoy/envoy.yaml")).proved


@pytest.mark.parametrize("plain", [False, True])
def test_what_is_rendered_from_an_example_is_proved(root: Path, read: Read, plain: bool) -> None:
    names = [path.relative_to(root).as_posix() for path in sorted((root / "examples").glob("*/router.yaml"))]
    assert len(names) > 1
    proofs = {name: of(root, name, read, plain=plain) for name in names}
    assert {name: (proof.leaks, proof.unproved) for name, proof in proofs.items() if not proof.proved} == {}


@pytest.mark.parametrize(("name", "open_too"), [("privacy-first", True), ("safety-gate", False)])
def test_examples_with_safety_rules_need_a_default_that_is_closed_or_cleared(
    root: Path, read: Read, name: str, open_too: bool
) -> None:
    assert of(root, f"examples/{name}/router.yaml", read, opened=True).proved is open_too


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
