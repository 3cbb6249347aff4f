from __future__ import annotations

import gc
import sys

import pytest

from extproc_router.server.considerate import SWITCH_SECONDS, considerate


def test_requests_come_through_and_all_is_as_before() -> None:
    before = sys.getswitchinterval()
    with considerate():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
        assert not gc.isenabled()
    assert (sys.getswitchinterval(), gc.isenabled()) == (before, True)
