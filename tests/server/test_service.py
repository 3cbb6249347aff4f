from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router.types import Reason

if TYPE_CHECKING:
    from pathlib import Path


def test_one_request_from_headers_to_answer(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy) as channel:
            first, second = await lab.ask(channel, lab.headers(x_request_id="rq"), lab.body())
            assert first.WhichOneof("response") == "request_headers"
            assert lab.cluster(second) == "on-large"
        [record] = spy.records
        assert (record.decision.reason, record.decision.request_id) == (Reason.DOMAIN, "rq")
        assert record.encoder_seconds is not None
        assert 0 < record.encoder_seconds <= record.total_seconds
        assert spy.open == 0

    asyncio.run(main())


def test_decision_ids_are_unique(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy) as channel:
            await asyncio.gather(*(lab.ask(channel, lab.headers(), lab.body("small")) for _ in range(50)))
        assert len({record.decision.id for record in spy.records}) == 50

    asyncio.run(main())


def test_a_hanging_encoder_sheds_to_the_default(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        gate = lab.Gate()
        async with lab.serving(directory, spy, lambda: lab.build_runtime(spy, gate, queue=1, deadline=0.05)) as channel:
            _, late = await lab.ask(channel, lab.headers(), lab.body())
            _, full = await lab.ask(channel, lab.headers(), lab.body())
            assert [lab.cluster(late), lab.cluster(full)] == ["on-small", "on-small"]
            gate.release.set()
        assert [record.shed for record in spy.records] == ["timeout", "overloaded"]
        assert all(record.decision.reason is Reason.SHED for record in spy.records)

    asyncio.run(main())


def test_a_message_out_of_order_ends_the_stream_with_a_reason(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await lab.ask(channel, lab.headers(), lab.headers())
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert spy.failures["protocol_error"] == 1
        assert spy.open == 0

    asyncio.run(main())


def test_unknown_messages_are_counted_and_not_answered(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy) as channel:
            stream = lab.open_stream(channel)
            await stream.write(pb.ProcessingRequest())
            await stream.write(lab.headers())
            assert (await stream.read()).WhichOneof("response") == "request_headers"
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF
        assert spy.failures["unknown_message"] == 1

    asyncio.run(main())


def test_a_defect_ends_one_stream_and_its_log_quotes_nothing(
    lab: Any, spy: Any, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        max_body_bytes = 100
        quoted = "secret" + " prompt"  # in one piece it would stand in the traceback's source line

        def wants_body(self, _: object) -> bool:
            raise ValueError(self.quoted)

    async def main() -> None:
        async with lab.serving(directory, spy, lambda: lab.build_runtime(spy, router=Broken())) as channel:
            for _ in range(2):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await lab.ask(channel, lab.headers())
                assert caught.value.code() is grpc.StatusCode.INTERNAL
                assert "secret" not in str(caught.value.details())
        assert spy.failures["internal_error"] == 2

    with caplog.at_level(logging.DEBUG, "extproc_router"):
        asyncio.run(main())
    assert "ValueError" in caplog.text
    assert "secret prompt" not in caplog.text


def test_clients_that_leave_at_any_moment_leave_nothing_behind(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        gate = lab.Gate()
        async with lab.serving(directory, spy, lambda: lab.build_runtime(spy, gate, queue=100, deadline=20)) as channel:
            streams = [lab.open_stream(channel) for _ in range(30)]
            for index, stream in enumerate(streams):
                if index % 3:
                    await stream.write(lab.headers())
                    await stream.read()
                if index % 3 == 2:
                    await stream.write(lab.body())
            await asyncio.to_thread(gate.entered.wait, 10)
            for stream in streams:
                stream.cancel()
            gate.release.set()
            for _ in range(500):
                if spy.open == 0 and spy.depths[-1] == 0:
                    break
                await asyncio.sleep(0.01)
        assert spy.open == 0
        assert spy.depths[-1] == 0

    asyncio.run(main())


def test_two_hundred_streams_at_once(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy, lambda: lab.build_runtime(spy, queue=256, deadline=30)) as channel:
            answers = await asyncio.gather(*(lab.ask(channel, lab.headers(), lab.body()) for _ in range(200)))
        assert {lab.cluster(last) for _, last in answers} == {"on-large"}
        assert spy.open == 0

    asyncio.run(main())


def test_bodies_that_do_not_fit_are_not_read_and_say_so(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        gate = lab.Gate()
        async with lab.serving(directory, spy, lambda: lab.build_runtime(spy, gate, queue=64, deadline=30)) as channel:
            # The cap is 100,000 bytes, so 800,000 may be held: eight of these wait in the encoder.
            held = [asyncio.create_task(lab.ask(channel, lab.headers(), lab.body(text="x" * 99_000))) for _ in range(8)]
            while spy.depths[-1:] != [8]:  # noqa: ASYNC110 - the spy has no event
                await asyncio.sleep(0.01)
            [announced] = await lab.ask(channel, lab.headers(content_length="99000"))
            assert announced.mode_override.request_body_mode == 0
            assert lab.cluster(announced) == ""
            _, unannounced = await lab.ask(channel, lab.headers(), lab.body(text="x" * 99_000))
            assert lab.cluster(unannounced) == ""
            _, small = await lab.ask(channel, lab.headers(), lab.body("small"))
            assert lab.cluster(small) == "on-small"
            gate.release.set()
            assert {lab.cluster(last) for _, last in await asyncio.gather(*held)} == {"on-large"}
            _, again = await lab.ask(channel, lab.headers(content_length="99000"), lab.body(text="x" * 99_000))
            assert lab.cluster(again) == "on-large"
        assert [record.decision.reason for record in spy.records if record.shed == "memory"] == [Reason.SHED] * 2

    asyncio.run(main())


def test_a_body_that_takes_long_to_read_holds_nobody_up(lab: Any, spy: Any, directory: Path) -> None:
    entered, release = threading.Event(), threading.Event()

    async def main() -> None:
        runtime = lab.build_runtime(spy)

        class SlowForLong:
            """The real router, which takes its time over long bodies."""

            max_body_bytes = 100_000
            wants_body, decide, shed = runtime.router.wants_body, runtime.router.decide, runtime.router.shed

            def read(self, http: Any, decision_id: str) -> Any:
                if len(http.body or b"") > 64 * 1024:
                    entered.set()
                    release.wait(30)
                return runtime.router.read(http, decision_id)

        async with lab.serving(directory, spy, lambda: lab.build_runtime(spy, router=SlowForLong())) as channel:
            slow = asyncio.create_task(lab.ask(channel, lab.headers(), lab.body(text="x" * 90_000)))
            await asyncio.to_thread(entered.wait, 10)
            _, quick = await asyncio.wait_for(lab.ask(channel, lab.headers(), lab.body("small")), 20)
            assert lab.cluster(quick) == "on-small"
            release.set()
            _, last = await slow
            assert lab.cluster(last) == "on-large"

    asyncio.run(main())
