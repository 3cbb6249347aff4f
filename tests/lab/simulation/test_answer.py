from __future__ import annotations

import json

from extproc_router.lab.simulation.answer import event, phrase, whole


def test_whole_answers_are_json() -> None:
    found = whole({"a": "é"}, status=404, tokens=3)
    assert (found.status, found.content_type, found.events, found.tokens) == (404, "application/json", None, 3)
    assert json.loads(found.body) == {"a": "é"}


def test_events_end_with_a_blank_line() -> None:
    assert event({"a": 1}).data == b'data: {"a": 1}\n\n'
    assert event({"a": "\n"}, "ping", tokens=2).data == b'event: ping\ndata: {"a": "\\n"}\n\n'
    assert event({}, tokens=2).tokens == 2


def test_every_status_has_a_phrase() -> None:
    assert [phrase(status) for status in (429, 529)] == ["Too Many Requests", "Overloaded"]
    assert all(phrase(status) for status in range(400, 600))
