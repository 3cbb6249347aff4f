from __future__ import annotations

import asyncio
import threading

import pytest

from extproc_router.server import apart


def test_what_work_returns_or_raises_comes_back() -> None:
    async def main() -> None:
        assert await apart.run(lambda: threading.current_thread().daemon)
        with pytest.raises(ZeroDivisionError):
            await apart.run(lambda: 1 // 0)

    asyncio.run(main())
    assert apart.join(20)


def test_nobody_waits_for_what_hangs() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        assert go_on.wait(30)

    async def main() -> None:
        task = asyncio.create_task(apart.run(hang))
        assert await asyncio.to_thread(entered.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not apart.join(0.0)
    go_on.set()
    assert apart.join(20)
