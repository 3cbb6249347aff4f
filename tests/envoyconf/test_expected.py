from __future__ import annotations

from extproc_router.config import loader
from extproc_router.config.schema import Limits
from extproc_router.envoyconf import expected

TEXT = """\
privacy_tiers: [public, restricted]
models: [{name: a, cluster: x}, {name: b, cluster: y}, {name: c, cluster: x}]
routing: {default: b}
limits: {encoder_deadline_ms: 7}
"""


def test_it_is_read_from_the_config() -> None:
    wanted = expected.of(loader.load(TEXT, "r.yaml"))
    assert wanted.clusters == ("x", "y")
    assert wanted.default_cluster == "y"
    assert wanted.tiers == ("public", "restricted")
    assert wanted.limits.encoder_deadline_ms == 7


def test_the_defaults_stand_in_for_a_config_that_cannot_be_read() -> None:
    wanted = expected.of(None)
    assert wanted.limits == Limits()
    assert (wanted.default_cluster, wanted.tiers) == ("", ())
