from __future__ import annotations

import os

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab import stack as lab
from extproc_router.lab.probes import children_of, get
from extproc_router.lab.rig import ALL, BARE, BASELINE, CASES, CONCURRENCIES, Rig

pytestmark = pytest.mark.envoy


def test_a_round_loads_every_case_and_only_the_baseline_goes_past_the_router(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)  # wrk would take whole seconds
    with Rig() as rig:
        before = rig._counts()
        # Longer than the encoder's deadline (150 ms): on the slowest machine every case then has an answer.
        cells = rig.round(0, 1, 0.3)
        decided = rig._counts()[0] - before[0]
        let_past = failed_open(rig)
        ceiling = rig.ceiling(0.1)

    assert cells.keys() == {(case.name, count) for case in ALL for count in CONCURRENCIES}
    assert all(cell.result.errors == 0 and cell.result.requests > 0 for cell in cells.values())
    assert all(0 <= cell.shed <= 1 for cell in cells.values())
    routed = sum(cell.result.requests for (name, _), cell in cells.items() if name not in (BASELINE.name, BARE.name))
    # Requests that are under way when the time is up are decided and not counted.
    # On a machine that stands still for Envoy's message_timeout, Envoy lets requests past the router.
    assert routed - let_past <= decided <= routed + len(CASES) * sum(CONCURRENCIES)
    assert ceiling > 0


def failed_open(rig: Rig) -> int:
    """How many requests Envoy sent on without an answer of the router."""
    stats = get(rig._envoy.admin_port, "/stats?filter=ext_proc.router.failure_mode_allowed")[1].decode()
    return int(stats.rpartition(":")[2])


def test_a_part_that_does_not_start_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise StartupError("no Envoy today")

    before = children_of(os.getpid())
    monkeypatch.setattr(lab, "envoy", broken)
    with pytest.raises(StartupError, match="no Envoy today"), Rig():
        pass
    assert children_of(os.getpid()) == before
