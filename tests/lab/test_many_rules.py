from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.lab import many_rules
from extproc_router.lab import stack as lab

if TYPE_CHECKING:
    from pathlib import Path


def test_every_rule_compiles_against_the_shipped_artefact(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.write_text(many_rules.text(40, 10, lab.CLUSTERS))
    config = wiring.read_config(path)
    assert (len(config.written.rules), len(config.candidates)) == (40, 10)
    assert {model.cluster for model in config.candidates} == set(lab.CLUSTERS)
    compiled = wiring.compile_config(config, wiring.load_encoder(lab.MODEL, remember=0))
    assert len(compiled.policy.routes) == 40


def test_editions_differ_in_their_version_alone() -> None:
    text = many_rules.text(3, 5, ["a"])
    one, two = (loader.load(many_rules.edition(text, number), "r.yaml") for number in (1, 2))
    assert one.version != two.version
    assert one.written.rules == two.written.rules
    assert two.metadata == {"edition": "2"}
    assert text == many_rules.text(3, 5, ["a"])
