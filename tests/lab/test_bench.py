"""The benchmark end to end, much shortened; its figures are looked at for sense, never for speed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import bench, chain_bench, chain_rig, rig

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.envoy


def test_it_measures_and_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)  # wrk would take whole seconds
    monkeypatch.setattr(rig, "WARM_UP_SECONDS", 0.1)
    monkeypatch.setattr(chain_rig, "WARM_UP_SECONDS", 0.1)
    monkeypatch.setattr(chain_bench, "STREAMS", 2)
    monkeypatch.setattr(chain_bench, "DECISIONS", 2)
    monkeypatch.setattr(bench, "CELL_SECONDS", 0.2)
    monkeypatch.setattr(bench, "STARTS", 1)
    monkeypatch.setattr(bench, "ENCODER_RUNS", 1)
    path = tmp_path / "out" / "bench.json"

    assert bench.run(seconds=6, path=path) == 0

    document = json.loads(path.read_text())
    assert document["rounds"] == 2
    cases = {(case["name"], case["concurrency"]): case for case in document["cases"]}
    assert len(cases) == 12
    assert all(case["requests"] > 0 for case in cases.values())
    assert sum(case["errors"] for case in cases.values()) == 0
    for connections in (1, 32):
        baseline = cases["no router", connections]
        assert (baseline["added_p50_ms"], baseline["throughput_ratio"], baseline["shed_share"]) == (0, 1, 0)
        # The router is in the way, or nothing was measured.
        assert 0 < cases["named model", connections]["throughput_ratio"] < 1
        assert cases["named model", connections]["shed_share"] == 0
    chains = {case["name"]: case for case in document["chains"]["cases"]}
    assert all(case["requests"] > 0 and case["errors"] == 0 for case in chains.values())
    assert chains["one model"]["ratio_p50"] == 1
    assert [item["tokens"] for item in document["encoder"]] == list(bench.ENCODER_TOKENS)
    assert document["generator"].startswith("own")
    assert 20e6 < document["rss_bytes"] < 2e9
    shown = capsys.readouterr().out
    assert "no router" in shown
    assert "TARGET" in shown
