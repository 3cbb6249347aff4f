from __future__ import annotations

import json
from dataclasses import replace

import pytest

from extproc_router.lab import bench_report
from extproc_router.lab.bench_report import CaseFigures, EncoderFigures, Figures, PolicyFigures
from extproc_router.lab.chain_report import ChainCase, ChainFigures, DecisionCost, FirstChunk
from extproc_router.lab.chain_rig import CASES as WALKS
from extproc_router.lab.rig import ALL, CONCURRENCIES


def figures(**changes: float) -> Figures:
    cases = tuple(
        CaseFigures(
            name=case.name,
            concurrency=connections,
            requests=100,
            errors=0,
            p50_ms=10.0,
            p99_ms=20.0,
            per_second=1234.5,
            added_p50_ms=changes.get("added", 1.0),
            added_p99_ms=2.0,
            throughput_ratio=changes.get("ratio", 0.5),
            shed_share=0.25,
        )
        for connections in CONCURRENCIES
        for case in ALL
    )
    return Figures(
        generator="own",
        generator_ceiling_per_second=9999.0,
        cases=cases,
        encoder=(EncoderFigures(128, 10.0), EncoderFigures(8_000, changes.get("long", 10.0))),
        policy=(PolicyFigures("policy", changes.get("policy", 50.0), 60.0),),
        chains=ChainFigures(
            tuple(ChainCase(name, 100, 0, 5.0, 9.0, 1.0, changes.get("walk", 2.0)) for name in WALKS),
            FirstChunk(3.0, 3.0, 0.0),
            (DecisionCost("one model", 60.0), DecisionCost("chain of 3", 100.0)),
        ),
        rss_bytes=int(changes.get("rss", 100e6)),
        ready_seconds=changes.get("ready", 1.0),
        rounds=3,
        cell_seconds=2.0,
    )


def met(**changes: float) -> list[bool]:
    return [target.met for target in bench_report.targets(figures(**changes))]


def test_every_target_can_be_met() -> None:
    assert met() == [True] * 11


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"added": 1.51}, [0]),
        ({"added": 8.1}, [0, 1]),
        ({"ratio": 0.34}, [2]),
        ({"long": 15.1}, [3]),
        ({"rss": 201e6}, [5]),
        ({"ready": 3.1}, [6]),
        ({"policy": 61.0}, [7]),
        ({"walk": 3.1}, [8]),
    ],
)
def test_every_target_can_be_missed(changes: dict[str, float], missed: list[int]) -> None:
    assert [number for number, good in enumerate(met(**changes)) if not good] == missed


def test_limits_themselves_are_met() -> None:
    assert met(added=1.5, ratio=0.35, long=15.0, rss=200e6, ready=3.0) == [True] * 11


def test_the_tables_show_cases_and_targets() -> None:
    text = bench_report.tables(figures(ratio=0.2))

    assert "auto, 8,000 tokens           32     10.00     +1.00     20.00     +2.00    1,234    0.20     25%" in text
    assert text.count("MISSED") == 1
    assert "first refused: second" in text
    assert "its ceiling here: 9,999 req/s" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "failed" not in text


def test_failures_are_shown() -> None:
    whole = figures()
    failed = replace(whole, cases=(replace(whole.cases[0], errors=3), *whole.cases[1:]))

    assert "3 requests failed" in bench_report.tables(failed)


def test_the_document_says_where_and_how() -> None:
    document = json.loads(json.dumps(bench_report.document(figures())))

    assert {"date", "command", "version", "machine", "cases", "encoder", "targets"} <= document.keys()
    assert document["machine"]["cores"] >= 1
    assert document["cases"][1]["name"] == "named model"
    assert [target["met"] for target in document["targets"]] == [True] * 11
