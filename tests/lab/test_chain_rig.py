from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import stack
from extproc_router.lab.chain_rig import ACCEPTED, CASES, ESCALATED, REFUSED, SINGLE, ChainRig

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.envoy

# Case or stream -> route, cluster that answered, attempts.
PATHS = {
    SINGLE: ("decided", "alone", 1),
    REFUSED: ("chain", "alone", 2),
    ACCEPTED: ("cascade", "judged", 1),
    ESCALATED: ("cascade", "alone", 2),
}


def test_every_case_takes_the_path_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)  # wrk would take whole seconds
    with ChainRig() as rig:
        found = rig.round(0, 1, 0.3)
        without, beside = rig.streams(3)
        paths, elsewhere = answered(rig.envoy), answered(rig._without)

    assert found.keys() == set(CASES)
    assert all(result.errors == 0 and result.requests > 0 for result in found.values())
    assert (len(without), len(beside)) == (3, 3)
    # Requests that were under way when the time was up may have been answered, and not counted.
    assert paths.keys() == {*PATHS.values(), ("chain", "streaming", 1)}
    assert all(paths[PATHS[case]] >= result.requests for case, result in found.items())
    assert elsewhere == {("chain", "streaming", 1): 3}


def answered(envoy: stack.Envoy) -> Mapping[tuple[str, str, int], int]:
    """How many requests were answered, by path."""
    envoy.child.stop()  # it writes what it has not yet written
    lines = stack.read_json_lines(envoy.access_log)
    return Counter((line["route"], line["cluster"], line["attempts"]) for line in lines if line["status"] == 200)
