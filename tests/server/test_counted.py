from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from extproc_router.server.counted import Counted


def test_the_last_one_closes() -> None:
    closed: list[str] = []
    shared = Counted("thing", lambda: closed.append("thing"))
    assert shared.take().thing == "thing"
    shared.drop()
    assert closed == []
    shared.drop()
    assert closed == ["thing"]
    with pytest.raises(RuntimeError):
        shared.take()


def test_holders_come_and_go_on_several_threads() -> None:
    closed: list[int] = []
    shared = Counted(None, lambda: closed.append(1))
    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(lambda _: shared.take().drop(), range(2_000)):
            pass
    assert closed == []
    shared.drop()
    assert closed == [1]
