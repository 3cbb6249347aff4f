from __future__ import annotations

import pytest

from extproc_router.answers.frames import BLANK_LINE, BOM, data_of, data_spans, with_data


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\r\n\r\n", b"a"),
        (b"data:  a \r\r", b" a "),
        (b"event: e\nid: 7\ndata: a: b\nretry: 5\n\n", b"a: b"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"data\ndata:\n\n", b"\n"),
        (b": data: a\n\n", b""),
        (b"datum: a\n data: a\nDATA: a\n\n", b""),
        (b"\n\ndata: a", b"a"),
        (b"", b""),
    ],
)
def test_where_the_data_is(event: bytes, data: bytes) -> None:
    spans = data_spans(event)
    assert data_of(event, spans) == data


def test_a_first_line_may_begin_later() -> None:
    event = BOM + b"data: a\n\n"
    assert data_spans(event) == []
    assert data_of(event, data_spans(event, len(BOM))) == b"a"


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        (b"event: e\r\ndata: a\r\n\r\n", b"event: e\r\ndata: {}\r\n\r\n"),
        (b"data:a\nid: 1\ndata: b\n: c\n\n", b"data:{}\nid: 1\ndata: \n: c\n\n"),
    ],
)
def test_other_data_in_the_same_lines(event: bytes, changed: bytes) -> None:
    assert with_data(event, data_spans(event), b"{}") == changed


def test_data_stays_on_its_line() -> None:
    event = b"data: 1\ndata: 2\n\n"
    changed = with_data(event, data_spans(event), b"[1,\n2]")
    assert data_of(changed, data_spans(changed)) == b"[1, 2]\n"


@pytest.mark.parametrize("blank", [b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r\n", b"\r\n\n", b"\n\r", b"\r\n\r"])
def test_blank_lines(blank: bytes) -> None:
    found = BLANK_LINE.search(b"data: a" + blank)
    assert found is not None
    assert found[0] == blank


def test_one_end_of_a_line_is_no_blank_line() -> None:
    assert BLANK_LINE.search(b"data: a\r\nid: 1\n") is None
