from __future__ import annotations

import pytest
from msgspec import Raw

from extproc_router.answers.logprobs import of_choice, of_response


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b'{"content": [{"logprob": -0.5, "top_logprobs": [{"logprob": -9}]}, {"logprob": -1}]}', [-0.5, -1]),
        (b'{"content": [], "refusal": null}', []),
        (b'{"tokens": ["a", "b"], "token_logprobs": [null, -0.5], "top_logprobs": [null, {"b": -0.5}]}', [None, -0.5]),
        (b'{"token_logprobs": null, "content": null}', []),
        (b'{"content": [{"logprob": null}, {}]}', [None, None]),
        (b'{"content": [{"logprob": -0.5}, {"logprob": -1e999}]}', []),
        (b'{"content": [{"logprob": "-0.5"}]}', []),
        (b'{"content": {"logprob": -0.5}}', []),
        *[(value, []) for value in (b"", b"null", b"true", b"[]", b"{}", b'"content"')],
    ],
)  # fmt: skip
def test_of_a_choice(written: bytes, read: list[float | None]) -> None:
    assert of_choice(Raw(written)) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b'[{"token": "a", "logprob": -0.5, "top_logprobs": []}, {"logprob": -1}]', [-0.5, -1]),
        (b"[-0.5]", []),
        *[(value, []) for value in (b"", b"null", b"true", b"[]", b"{}")],
    ],
)
def test_of_a_response(written: bytes, read: list[float | None]) -> None:
    assert of_response(Raw(written)) == read
