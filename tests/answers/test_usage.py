from __future__ import annotations

import pytest
from msgspec import Raw

from extproc_router.answers.usage import told
from extproc_router.attempts import Usage


@pytest.mark.parametrize(
    ("written", "usage"),
    [
        (b'{"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}', Usage(5, 2)),
        (b'{"prompt_tokens": 5, "total_tokens": 5}', Usage(5, 0)),
        (b'{"input_tokens": 5, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4}}', Usage(5, 2)),
        (b'{"input_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": null}', Usage(95, 0)),
        (b'{"prompt_tokens": 5, "input_tokens": 5, "completion_tokens": 2, "output_tokens": 2}', Usage(5, 2)),
        (b'{"prompt_tokens": -1, "completion_tokens": 1e999}', None),
        *[(value, None) for value in (b"", b"null", b"[]", b"{}", b"7")],
    ],
)
def test_all_vendors_names(written: bytes, usage: Usage | None) -> None:
    assert told(Raw(written)) == usage


@pytest.mark.parametrize(
    ("written", "usage"),
    [
        (b'{"output_tokens": 9}', Usage(5, 9)),
        (b'{"input_tokens": 0, "output_tokens": 9}', Usage(5, 9)),
        (b'{"input_tokens": 6, "output_tokens": 9}', Usage(6, 9)),
        (b"null", Usage(5, 1)),
        (b"{}", Usage(5, 1)),
    ],
)
def test_what_was_told_before_holds(written: bytes, usage: Usage) -> None:
    assert told(Raw(written), Usage(5, 1)) == usage
