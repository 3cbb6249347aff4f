from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import histograms
from extproc_router.telemetry.decision_log import line
from extproc_router.types import Classification, Decision, Encoding, Evidence, Flag, Pair, Reason, Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.types import HeadAnswer

DECISION = Decision(
    id="d",
    request_id="r",
    config_version="c1",
    encoder_version="e1",
    api="chat_completions",
    requested_model="auto",
    model="small",
    cluster="small",
    reason=Reason.DOMAIN,
    why="because",
    privacy_tier="public",
    stream=False,
    signals=(Evidence("domain", "math", 0.91),),
    status=0,
)


def test_a_decision_log_as_the_router_writes_it(write: Callable[..., Path]) -> None:
    record = Record(DECISION, 0.0, 0.0125, 0.01, "", "")
    found, faults = histograms.read(write(line(record).decode().strip(), {"dropped": 3}, line(record).decode().strip()))
    assert faults.count == 0
    assert (found.rows, found.dropped) == (2, 3)
    assert found.labels["domain label"] == {"math": 2}
    assert found.labels["model"] == {"small": 2}
    assert found.labels["reason"] == {"domain": 2}
    assert found.units["domain confidence"][45] == 2
    assert found.versions == {"config": {"c1": 2}, "encoder": {"e1": 2}}
    edges = histograms.milli_edges()
    at = found.millis["decision"].index(2)
    assert edges[at] <= 12.5 < edges[at + 1]


def test_lines_of_cascades_are_passed_by(write: Callable[..., Path]) -> None:
    decided = line(Record(DECISION, 0.0, 0.0125, 0.01, "", "")).decode().strip()
    found, faults = histograms.read(
        write(decided, {"kind": "cascade", "decision_id": "a", "verdict": "accepted"}), strict=True
    )
    assert (found.rows, faults.count) == (1, 0)


def test_prompts_are_counted_and_not_kept(write: Callable[..., Path]) -> None:
    path = write({"prompt": "x" * 64, "source": "web"}, {"text": "```é```"}, {"messages": [{"content": "secret"}]})
    found, _ = histograms.read(path)
    assert found.rows == 3
    assert sum(found.lengths["prompt length"]) == 3
    assert found.labels["prompt has code"] == {"no": 2, "yes": 1}
    assert found.labels["source"] == {"web": 1}
    assert b"secret" not in histograms.dump(found)


def test_heads_read_prompts_where_asked(write: Callable[..., Path]) -> None:
    heads: dict[str, HeadAnswer] = {
        "domain": Classification("law", 0.5, {"law": 0.5, "math": 0.5}),
        "jailbreak": Flag(0.5, raised=True),
        "difficulty": Pair(0.9, 0.9, 0.5),
        "pii": (),
    }
    answer = Encoding(heads, dict.fromkeys(heads, 1), tokens=1, windowed=False)
    found, _ = histograms.read(write({"prompt": "p"}), encode=lambda _: answer)
    assert found.labels["domain label"] == {"law": 1}
    assert found.units["domain confidence"][25] == 1
    assert found.labels["jailbreak flag"] == {"yes": 1}
    assert found.units["jailbreak probability"][25] == found.units["difficulty score"][25] == 1
    assert found.labels["pii spans"] == {"none": 1}


def test_saved_histograms_read_back(write: Callable[..., Path], tmp_path: Path) -> None:
    found, _ = histograms.read(write({"prompt": "p"}, {"prompt": "q" * 500}))
    saved = tmp_path / "saved.json"
    saved.write_bytes(histograms.dump(found))
    assert histograms.read(saved)[0] == found


@pytest.mark.parametrize("value", [0, 1, 2, 3, 1000, 10**9])
def test_lengths_have_a_bin(value: int) -> None:
    found = histograms.Histograms()
    found.add_length("n", value)
    assert sum(found.lengths["n"]) == 1


@pytest.mark.parametrize("value", [-0.5, 0.0, 0.999, 1.0, 7.0, 1e308, -1e308, 10**400])
def test_numbers_outside_go_to_the_end_bins(value: float) -> None:
    found = histograms.Histograms()
    found.add_unit("p", value)
    found.add_millis("t", value)
    assert sum(found.units["p"]) == sum(found.millis["t"]) == 1


def test_labels_are_bounded() -> None:
    found = histograms.Histograms()
    for number in range(1500):
        found.add_label("id", str(number))
    assert len(found.labels["id"]) == 1001
    assert found.labels["id"]["(other)"] == 500


@pytest.mark.parametrize(
    "row",
    [
        {"dropped": -1},
        {"dropped": 2**60},
        {},
        [],
        "{",
        {"signals": 1, "reason": "x"},
        {"prompt": 1},
        {"signals": [{}], "reason": ""},
    ],
)
def test_other_lines_are_left_out(write: Callable[..., Path], row: object) -> None:
    path = write(row, {"prompt": "p"})
    found, faults = histograms.read(path)
    assert (found.rows, faults.count) == (1, 1)
    with pytest.raises(StartupError, match=r"rows\.jsonl:1"):
        histograms.read(path, strict=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 0},
        {"units": {"p": [1]}},
        {"rows": -1},
        {"rows": 2**60},
        {"other": 1},
        {"units": {"p": [0] * histograms.UNIT_BINS}},
        {"lengths": {"n": [0] * histograms.LENGTH_BINS}},
        {"millis": {"t": [0] * histograms.MILLI_BINS}},
        {"labels": {"domain": {"law": 0}}},
        {"labels": {"domain": {}}},
    ],
)
def test_malformed_saved_histograms_are_refused(write: Callable[..., Path], changes: dict[str, object]) -> None:
    with pytest.raises(StartupError, match="no usable line"):
        histograms.read(write({"format": histograms.FORMAT, "rows": 1, **changes}))
