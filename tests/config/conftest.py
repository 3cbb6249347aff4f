from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = """\
metadata: {name: test}
auto: [auto]
privacy_tiers: [public, restricted]
models:
  - name: small-8b
    cluster: small
    cost: {input: 0.1, output: 0.3}
    privacy: restricted
  - name: large-70b
    cluster: large
routing:
  default: small-8b
  confidence_floor: 0.4
  domains:
    math: large-70b
limits: {encoder_deadline_ms: 100}
"""


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def changed() -> Callable[[str, str], str]:
    """The good config with one piece of text replaced, which must be there once."""

    def change(old: str, new: str) -> str:
        assert GOOD.count(old) == 1
        return GOOD.replace(old, new)

    return change
