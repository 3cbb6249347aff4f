from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.errors import EncoderFailed, EncoderOverloaded, EncoderTimeout
from extproc_router.server.encoder_executor import Bounds, EncoderExecutor
from extproc_router.types import Ask

if TYPE_CHECKING:
    from extproc_router.server.encoder_executor import Asks, Encodings


async def settle(executor: EncoderExecutor) -> None:
    """Wait until the thread has let everything go and the loop has heard of it."""
    for _ in range(200):
        if executor._inside == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("prompts are still inside")


def test_an_answer_comes_back(lab: Any) -> None:
    async def main() -> None:
        depths: list[int] = []
        executor = EncoderExecutor(lab.reads_math, on_depth=depths.append)
        assert await executor.encode((Ask("x"),), Bounds(2, 5)) == lab.reads_math((Ask("x"),))
        await settle(executor)
        assert depths == [1, 0]
        executor.close()

    asyncio.run(main())


def test_what_one_request_asks_is_one_job(lab: Any) -> None:
    async def main() -> None:
        depths: list[int] = []
        executor = EncoderExecutor(lab.reads_math, on_depth=depths.append)
        assert (await executor.encode((Ask("x"), Ask("y")), Bounds(1, 5))).keys() == {"x", "y"}
        await settle(executor)
        assert depths == [1, 0]
        executor.close()

    asyncio.run(main())


def test_a_full_queue_sheds_at_once_and_recovers(lab: Any) -> None:
    async def main() -> None:
        gate = lab.Gate()
        executor = EncoderExecutor(gate, on_depth=lambda _: None)
        first, second = (asyncio.create_task(executor.encode((Ask("x"),), Bounds(2, 30))) for _ in range(2))
        await asyncio.to_thread(gate.entered.wait, 10)
        with pytest.raises(EncoderOverloaded):
            await executor.encode((Ask("x"),), Bounds(2, 30))
        gate.release.set()
        await asyncio.gather(first, second)
        await settle(executor)
        await executor.encode((Ask("x"),), Bounds(2, 30))
        executor.close()

    asyncio.run(main())


def test_a_late_answer_is_a_timeout_and_keeps_its_place_until_the_thread_is_done(lab: Any) -> None:
    async def main() -> None:
        gate = lab.Gate()
        executor = EncoderExecutor(gate, on_depth=lambda _: None)
        with pytest.raises(EncoderTimeout):
            await executor.encode((Ask("x"),), Bounds(1, 0.05))
        assert executor.busy_seconds > 0
        with pytest.raises(EncoderOverloaded):
            await executor.encode((Ask("x"),), Bounds(1, 0.05))
        gate.release.set()
        await settle(executor)
        assert executor.busy_seconds == 0
        executor.close()

    asyncio.run(main())


def test_behind_an_encoder_that_hangs_the_queue_stays_bounded(lab: Any) -> None:
    async def main() -> None:
        gate = lab.Gate()
        executor = EncoderExecutor(gate, on_depth=lambda _: None)
        shed: list[type] = []
        for _ in range(20):
            results = await asyncio.gather(
                *(executor.encode((Ask("x"),), Bounds(3, 0.02)) for _ in range(2)), return_exceptions=True
            )
            shed += [type(result) for result in results]
        assert shed.count(EncoderTimeout) == 3
        assert shed.count(EncoderOverloaded) == 37
        assert executor._jobs.qsize() <= 2
        gate.release.set()
        await settle(executor)
        executor.close()

    asyncio.run(main())


def test_a_prompt_that_timed_out_waiting_is_never_run(lab: Any) -> None:
    async def main() -> None:
        gate, seen = lab.Gate(), list[str]()

        def encode(asks: Asks) -> Encodings:
            seen.extend(ask.text for ask in asks)
            answers: Encodings = gate(asks)
            return answers

        executor = EncoderExecutor(encode, on_depth=lambda _: None)
        asked = (executor.encode((Ask(name),), Bounds(2, 0.05)) for name in ("first", "second"))
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(result) for result in results] == [EncoderTimeout, EncoderTimeout]
        gate.release.set()
        await settle(executor)
        assert seen == ["first"]
        executor.close()

    asyncio.run(main())


def test_whatever_it_raises_is_a_failure_that_quotes_nothing() -> None:
    async def main() -> None:
        def encode(asks: Asks) -> Encodings:
            raise ValueError(f"cannot read {asks[0].text}")

        executor = EncoderExecutor(encode, on_depth=lambda _: None)
        with pytest.raises(EncoderFailed) as caught:
            await executor.encode((Ask("secret"),), Bounds(1, 5))
        assert "secret" not in str(caught.value)
        await settle(executor)
        executor.close()

    asyncio.run(main())


def test_a_client_that_leaves_frees_its_place(lab: Any) -> None:
    async def main() -> None:
        gate = lab.Gate()
        executor = EncoderExecutor(gate, on_depth=lambda _: None)
        running, waiting = (asyncio.create_task(executor.encode((Ask("x"),), Bounds(2, 30))) for _ in range(2))
        await asyncio.to_thread(gate.entered.wait, 10)
        for task in (waiting, running):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        gate.release.set()
        await settle(executor)
        executor.close()

    asyncio.run(main())


def test_another_config_may_ask_less_of_the_same_thread(lab: Any) -> None:
    async def main() -> None:
        gate = lab.Gate()
        executor = EncoderExecutor(gate, on_depth=lambda _: None)
        first = asyncio.create_task(executor.encode((Ask("x"),), Bounds(2, 30)))
        await asyncio.to_thread(gate.entered.wait, 10)
        with pytest.raises(EncoderOverloaded):
            await executor.encode((Ask("x"),), Bounds(1, 30))
        gate.release.set()
        await first
        executor.close()

    asyncio.run(main())
