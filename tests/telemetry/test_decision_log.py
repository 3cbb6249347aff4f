from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING

from google.protobuf import json_format
from msgspec.structs import replace

from extproc_router.telemetry import decision_log
from extproc_router.types import Decision, Evidence, Reason, Record
from extproc_router.v1 import decision_pb2
from extproc_router.verifier.judged import Judged, Outcome, Paid

if TYPE_CHECKING:
    import pytest

DECISION = Decision(
    id="id",
    request_id='rq"\n',
    config_version="cv",
    encoder_version="ev",
    api="chat_completions",
    requested_model="aüto",
    model="small",
    cluster="c",
    reason=Reason.DOMAIN,
    why="because",
    privacy_tier="public",
    stream=True,
    signals=(Evidence("domain", "math", 0.5),),
    status=0,
)
RECORD = Record(DECISION, 1_700_000_000.25, 0.0012345, None, "", "")


def test_a_line_is_the_decision_message_and_a_time() -> None:
    fields = json.loads(decision_log.line(RECORD))
    assert fields.pop("time") == "2023-11-14T22:13:20.250+00:00"
    message = json_format.ParseDict(fields, decision_pb2.Decision())
    assert (message.request_id, message.reason, message.stream, message.total_ms) == ('rq"\n', "domain", True, 1.234)
    assert message.signals[0].label == "math"
    assert set(fields) == {field.name for field in decision_pb2.Decision.DESCRIPTOR.fields}


def test_what_came_of_a_cascade_has_a_line_of_its_own_kind() -> None:
    stream = io.BytesIO()
    log = decision_log.DecisionLog(stream)
    log.judged(
        Judged(
            "id",
            "maths",
            Outcome.ESCALATED,
            0.25,
            ("confidence",),
            {"mean_logprob": -0.5},
            (Paid("small", 10, 4, counted=True, cost_usd=0.5),),
        ),
        1_700_000_000.25,
    )
    log.close()
    assert json.loads(stream.getvalue()) == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "kind": "cascade",
        "decision_id": "id",
        "rule": "maths",
        "verdict": "escalated",
        "good": 0.25,
        "signs": ["confidence"],
        "features": {"mean_logprob": -0.5},
        "attempts": [{"model": "small", "prompt_tokens": 10, "completion_tokens": 4, "counted": True, "cost_usd": 0.5}],
    }


def test_one_line_each_whatever_is_in_it() -> None:
    assert decision_log.line(RECORD).count(b"\n") == 1


def test_lines_are_written_in_order_and_all_before_the_end() -> None:
    stream = io.BytesIO()
    log = decision_log.DecisionLog(stream)
    for index in range(100):
        log.decided(replace(RECORD, decision=replace(DECISION, id=str(index))))
    log.close()
    assert [json.loads(line)["id"] for line in stream.getvalue().splitlines()] == [str(i) for i in range(100)]


def test_a_record_that_cannot_be_written_costs_itself_alone(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.BytesIO()
    log = decision_log.DecisionLog(stream)
    broken = replace(RECORD, decision=replace(DECISION, why="a prompt \ud800"))
    for record in (RECORD, broken, broken, RECORD):
        log.decided(record)
    log.close()

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["id"] for line in lines if "id" in line] == ["id", "id"]
    assert sum(line.get("dropped", 0) for line in lines) == 2
    assert len(caplog.messages) == 1
    assert "prompt" not in caplog.text


class StuckPipe(io.BytesIO):
    def __init__(self) -> None:
        super().__init__()
        self.stuck = threading.Event()
        self.free = threading.Event()

    def write(self, data: object, /) -> int:
        self.stuck.set()
        self.free.wait(20)
        return super().write(data)  # type: ignore[arg-type]


def test_a_stuck_pipe_never_holds_up_a_request_and_what_was_dropped_is_counted() -> None:
    stream = StuckPipe()
    log = decision_log.DecisionLog(stream)
    log.decided(RECORD)
    assert stream.stuck.wait(20)
    for _ in range(decision_log._BUFFER_LINES + 7):
        log.decided(RECORD)
    stream.free.set()
    log.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {"dropped": 7} in lines
    assert len(lines) == 1 + decision_log._BUFFER_LINES + 1


def test_a_closed_pipe_is_survived() -> None:
    stream = io.BytesIO()
    stream.close()
    log = decision_log.DecisionLog(stream)
    log.decided(RECORD)
    log.close()
