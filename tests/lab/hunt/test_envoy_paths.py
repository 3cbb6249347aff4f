from __future__ import annotations

import pytest

from extproc_router.lab.hunt.envoy_paths import normalized


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/v1/%63hat", "/v1/chat"),
        ("/v1/x/../chat?a=/../b", "/v1/chat?a=/../b"),
        ("/v1/./chat", "/v1/chat"),
        ("/../v1", "/v1"),
        ("/v1/..", "/"),
        ("/a%2Fb", "/a%2Fb"),
        ("//v1", "//v1"),
        ("/", "/"),
    ],
)
def test_paths(path: str, same: str) -> None:
    assert normalized(path) == same
