from __future__ import annotations

import dataclasses

import pytest

from extproc_router.lab import many_rules, reload_bench
from extproc_router.lab.load import Result
from extproc_router.lab.reload_bench import Figures

RESULT = Result(requests=100, seconds=1.0, errors=0, p50_ms=1.0, p99_ms=2.0, max_ms=3.0)
FIGURES = Figures(RESULT, dataclasses.replace(RESULT, max_ms=8.5), 5, 5, 0, newest=True, growth_bytes=2**20)


@pytest.mark.envoy
def test_requests_go_on_while_configs_are_swapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)  # wrk would take whole seconds
    monkeypatch.setattr(reload_bench, "WARM_UP_SECONDS", 0.1)
    # A busy machine is no failure: nothing is shed, and Envoy waits for the router as long.
    written = many_rules.text
    patient = "limits: {encoder_deadline_ms: 30000, encoder_queue: 4096}\n"
    monkeypatch.setattr(many_rules, "text", lambda *arguments: written(*arguments) + patient)
    found = reload_bench.measure(seconds=1.0, every=0.3, rules=20, prove=False)
    assert found.is_right
    assert found.without.requests > 0
    assert found.during.requests > 0
    assert 0 < found.applied <= found.written


def test_figures_are_told() -> None:
    told = reload_bench.report(FIGURES)
    assert "worst delay added 5.5 ms" in told
    assert "configs written 5, applied 5, rejected 0; the last one runs: yes; memory grew by 1.0 MiB" in told


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 0),
        ({"newest": False}, 1),
        ({"rejected": 1}, 1),
        ({"during": dataclasses.replace(RESULT, errors=1)}, 1),
    ],
)
def test_what_went_wrong_is_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: dict[str, object], status: int
) -> None:
    asked: dict[str, object] = {}

    def measure(**arguments: object) -> Figures:
        asked.update(arguments)
        return dataclasses.replace(FIGURES, **wrong)  # type: ignore[arg-type]

    monkeypatch.setattr(reload_bench, "measure", measure)
    monkeypatch.setattr(reload_bench, "end_in_order_on_sigterm", lambda: None)
    assert reload_bench.main(["--seconds=3", "--prove"]) == status
    assert (asked["seconds"], asked["prove"]) == (3.0, True)
    assert "with reloads" in capsys.readouterr().out
