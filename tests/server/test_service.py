from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any, cast

import grpc
import numpy as np
import pytest
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from msgspec import structs

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.errors import ModelTimeout
from extproc_router.router import Plan
from extproc_router.server.service import Runtime
from extproc_router.types import Encoding, Question, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.encoder import Encoder
    from extproc_router.router import Opened
    from extproc_router.server.model_client import ModelClient
    from extproc_router.signals.base import Answers


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


MATCHED = """
models: [{name: small, cluster: on-small}, {name: large, cluster: on-large}]
signals:
- name: task
  kind: preference
  routes: [{name: sums, description: adding numbers}, {name: law, description: reading contracts}]
  matcher: {url: "http://127.0.0.1:9", model: m, deadline_ms: 200}
rules: [{name: sums, when: {task: sums}, use: large}]
routing: {default: small}
"""


@pytest.mark.parametrize(
    ("said", "cluster"),
    [
        (b'{"choices": [{"message": {"content": "{\\"route\\": \\"sums\\"}"}}]}', "on-large"),
        (b'{"choices": [{"message": {"content": "{\\"route\\": \\"law\\"}"}}]}', "on-small"),
        (ModelTimeout("late"), "on-large"),  # the embedding decides
        (b"garbage", "on-large"),
    ],
)
def test_a_language_model_is_asked_beside_the_encoder(
    lab: Any, spy: Any, directory: Path, said: bytes | Exception, cluster: str
) -> None:
    class Artefact(lab.Artefact):  # type: ignore[misc]  # a fixture's member
        def embed(self, text: str) -> Any:
            return np.array([1.0, 0.0] if "add" in text else [0.0, 1.0])

    class Matcher:
        async def ask(self, body: bytes) -> bytes:
            assert b"what is 2 + 2?" in body
            if isinstance(said, Exception):
                raise said
            return said

    def encode(asks: Any) -> Any:
        return {ask.text: Encoding({}, {}, 3, windowed=False, embedding=(1.0, 0.0)) for ask in asks}

    def load() -> Runtime:
        router = wiring.build_router(loader.load(MATCHED, "router.yaml"), cast("Encoder", Artefact()))
        runtime = lab.build_runtime(spy, encode, router=router)
        return Runtime(router, runtime.encoder, runtime.bounds, {"task": cast("ModelClient", Matcher())})

    async def main() -> None:
        async with lab.serving(directory, spy, load) as channel:
            _, answer = await lab.ask(channel, lab.headers(), lab.body())
            assert lab.cluster(answer) == cluster

    asyncio.run(main())


def test_the_encoders_time_is_its_own(lab: Any, spy: Any, directory: Path) -> None:
    """Where a language model alone is asked, the encoder was not."""

    def load() -> Runtime:
        runtime = lab.build_runtime(spy)

        class AsksOnce:
            max_body_bytes = 100_000
            wants_body = runtime.router.wants_body

            def read(self, http: Any, decision_id: str) -> Any:
                self.answer = runtime.router.read(http, decision_id)
                return Plan((), (Question("task", b"?"),), cast("Opened", None))

            def decide(self, _: Plan, answers: Answers) -> Any:
                assert answers.said == {"task": b"!"}
                return self.answer

        class Matcher:
            async def ask(self, _: bytes) -> bytes:
                return b"!"

        return Runtime(
            cast("Any", AsksOnce()), runtime.encoder, runtime.bounds, {"task": cast("ModelClient", Matcher())}
        )

    async def main() -> None:
        async with lab.serving(directory, spy, load) as channel:
            await lab.ask(channel, lab.headers(), lab.body("small"))
        assert [record.encoder_seconds for record in spy.records] == [None]

    asyncio.run(main())


def test_a_stream_keeps_the_runtime_that_it_began_with(lab: Any, spy: Any, directory: Path) -> None:
    """An old stream waits in an encoder that hangs while a new runtime serves others."""

    class Asker:
        """Swaps when it is told to."""

        def __init__(self) -> None:
            self.begun = asyncio.Event()

        async def run(self, swap: Any) -> None:
            self.swap = swap
            self.begun.set()
            await asyncio.Event().wait()

        def ask(self) -> None:
            pass

    released: list[str] = []

    async def main() -> None:
        gate, asker = lab.Gate(), Asker()
        old = lab.build_runtime(spy, gate, queue=4, deadline=30)

        def release() -> None:
            released.append("old")
            old.release()

        before = structs.replace(old, release=release)
        swapped = lab.CONFIG.replace("math: large", "math: small")
        new = lab.build_runtime(spy, router=wiring.build_router(loader.load(swapped, "r"), lab.Artefact()))
        async with lab.serving(directory, spy, lambda: before, reloader=asker) as channel:
            await asker.begun.wait()
            waiting = asyncio.create_task(lab.ask(channel, lab.headers(), lab.body()))
            await asyncio.to_thread(gate.entered.wait, 10)
            half = lab.open_stream(channel)
            await half.write(lab.headers())
            await half.read()
            asker.swap(new)
            _, fresh = await lab.ask(channel, lab.headers(), lab.body())
            assert lab.cluster(fresh) == "on-small"
            gate.release.set()
            _, late = await waiting
            assert lab.cluster(late) == "on-large"
            assert released == []
            await half.write(lab.body())
            assert lab.cluster(await half.read()) == "on-large"
            await half.done_writing()
            assert await half.read() is grpc.aio.EOF
            while not released:  # noqa: ASYNC110 - the stream's end reaches us before it is over there
                await asyncio.sleep(0.01)
        versions = [record.decision.config_version for record in spy.records]
        assert versions == [new.router.terms.config_version, *[old.router.terms.config_version] * 2]

    asyncio.run(main())
    assert released == ["old"]
