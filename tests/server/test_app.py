from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from msgspec import structs

from extproc_router.errors import ArtefactError, StartupError
from extproc_router.extproc.events import BodyMode
from extproc_router.server import app
from extproc_router.server.addresses import Address

if TYPE_CHECKING:
    from pathlib import Path

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def health(channel: grpc.aio.Channel, service: str) -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    return int((await stub.Check(health_pb2.HealthCheckRequest(service=service))).status)


async def free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port


def test_liveness_and_readiness_are_apart_while_the_model_loads(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        port, loaded = await free_port(), threading.Event()

        def load() -> Any:
            loaded.wait(20)
            return lab.build_runtime(spy)

        async def look() -> None:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as probe:
                await asyncio.wait_for(probe.channel_ready(), 20)
                assert await health(probe, "liveness") == SERVING
                assert await health(probe, "readiness") == NOT_SERVING
                loaded.set()

        looking = asyncio.create_task(look())
        async with lab.serving(directory, spy, load, health=Address("127.0.0.1", port)) as channel:
            await looking
            for service in ("", "readiness", "liveness", "envoy.service.ext_proc.v3.ExternalProcessor"):
                assert await health(channel, service) == SERVING

    asyncio.run(main())


def test_the_server_describes_itself(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy) as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            async for answer in stub.ServerReflectionInfo(iter([request])):
                names = {service.name for service in answer.list_services_response.service}
                assert "envoy.service.ext_proc.v3.ExternalProcessor" in names
                assert "grpc.health.v1.Health" in names

    asyncio.run(main())


def test_a_drain_lets_open_streams_end_and_says_not_ready(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        port = await free_port()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as probe:
            async with lab.serving(directory, spy, health=Address("127.0.0.1", port), drain_seconds=5.0) as channel:
                stream = lab.open_stream(channel)
                await stream.write(lab.headers())
                await stream.read()

                async def finish() -> None:
                    while await health(probe, "readiness") == SERVING:  # noqa: ASYNC110 - a probe polls
                        await asyncio.sleep(0.01)
                    await stream.write(lab.body())
                    assert lab.cluster(await stream.read()) == "on-large"
                    await stream.done_writing()

                finishing = asyncio.create_task(finish())
            await asyncio.wait_for(finishing, 20)

    asyncio.run(main())


def test_a_stream_that_never_ends_does_not_hold_up_a_drain(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with asyncio.timeout(30), lab.serving(directory, spy, drain_seconds=0.2) as channel:
            stream = lab.open_stream(channel)
            await stream.write(lab.headers())
            await stream.read()
        assert spy.open == 0

    asyncio.run(main())


def test_a_message_above_grpcs_limit_ends_the_stream_alone(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await lab.ask(channel, lab.headers(), lab.body(text="x" * 3_000_000))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            _, answer = await lab.ask(channel, lab.headers(), lab.body())
            assert lab.cluster(answer) == "on-large"

    asyncio.run(main())


def test_two_servers_do_not_share_a_socket(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy) as channel:
            with pytest.raises(StartupError, match="another server"):
                async with lab.serving(directory, spy):
                    pass
            _, answer = await lab.ask(channel, lab.headers(), lab.body())
            assert lab.cluster(answer) == "on-large"

    asyncio.run(main())


def test_two_servers_do_not_share_a_port(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        port = await free_port()
        async with lab.serving(directory, spy, health=Address("127.0.0.1", port)):
            with pytest.raises(StartupError, match="cannot listen"):
                async with lab.serving(directory, spy, health=Address("127.0.0.1", port)):
                    pass

    asyncio.run(main())


def test_what_cannot_be_loaded_ends_the_start_with_its_reason(lab: Any, spy: Any, directory: Path) -> None:
    def load() -> Any:
        raise ArtefactError("stage-1.onnx: wrong checksum")

    async def main() -> None:
        with pytest.raises(ArtefactError, match="checksum"):
            async with lab.serving(directory, spy, load):
                pass

    asyncio.run(main())


def test_the_socket_is_gone_afterwards(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with lab.serving(directory, spy):
            assert (directory / "extproc.sock").exists()
        assert not (directory / "extproc.sock").exists()

    asyncio.run(main())


def test_a_socket_that_is_removed_is_made_anew(lab: Any, spy: Any, directory: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(app, "_WATCH_SECONDS", 0.02)

    async def main() -> None:
        async with lab.serving(directory, spy):
            path = directory / "extproc.sock"
            path.unlink()
            async with asyncio.timeout(20):
                while not path.exists():  # noqa: ASYNC110 - a file has no event
                    await asyncio.sleep(0.01)
            async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
                _, answer = await lab.ask(channel, lab.headers(), lab.body())
                assert lab.cluster(answer) == "on-large"

    asyncio.run(main())


def test_answers_are_judged_at_an_address_of_their_own(lab: Any, spy: Any, directory: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(app, "_WATCH_SECONDS", 0.02)
    path = directory / "verifier.sock"

    async def leaves() -> bool:
        """Whether what answers there has nothing to say of a request that nobody wants judged."""
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            assert await health(channel, "readiness") == SERVING
            stream = lab.open_stream(channel)
            message = lab.headers()
            message.protocol_config.response_body_mode = BodyMode.STREAMED
            message.protocol_config.send_body_without_waiting_for_header_response = True
            await stream.write(message)
            return bool(await stream.read() is grpc.aio.EOF)

    async def main() -> None:
        async with lab.serving(directory, spy, verify=Address(path=str(path))) as channel:
            assert await leaves()
            path.unlink()
            async with asyncio.timeout(20):
                while not path.exists():  # noqa: ASYNC110 - a file has no event
                    await asyncio.sleep(0.01)
            assert await leaves()
            _, answer = await lab.ask(channel, lab.headers(), lab.body())
            assert lab.cluster(answer) == "on-large"
        assert not path.exists()

    asyncio.run(main())
    assert not spy.failures


def test_all_listeners_share_the_time_to_drain(lab: Any, spy: Any, directory: Path, monkeypatch: Any) -> None:
    """Streams that never end hold each listener up: to the same end."""
    begun = asyncio.Event()

    class Counted(app._Grace):
        lefts: ClassVar[list[float]] = []

        def begin(self) -> None:
            super().begin()
            begun.set()

        @property
        def left(self) -> float:
            self.lefts.append(super().left)
            return self.lefts[-1]

    monkeypatch.setattr(app, "_Grace", Counted)

    async def main() -> None:
        async with lab.serving(directory, spy, verify=Address(path=str(directory / "v.sock"))) as channel:
            stream = lab.open_stream(channel)
            await stream.write(lab.headers())
            await stream.read()
        assert begun.is_set()

    asyncio.run(main())
    routers, verifiers = Counted.lefts
    assert 0 <= verifiers < routers <= 0.5


def test_a_server_whose_path_was_taken_is_not_ready_and_leaves_it_alone(
    lab: Any, spy: Any, directory: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(app, "_WATCH_SECONDS", 0.02)

    async def main() -> None:
        path = directory / "extproc.sock"
        async with lab.serving(directory, spy) as channel:
            assert await health(channel, "readiness") == SERVING
            successor = await asyncio.start_unix_server(lambda *_: None, directory / "other.sock")
            (directory / "other.sock").rename(path)
            async with asyncio.timeout(20):
                while await health(channel, "readiness") == SERVING:  # noqa: ASYNC110 - a probe polls
                    await asyncio.sleep(0.01)
            assert await health(channel, "liveness") == SERVING
        assert path.exists()
        successor.close()

    asyncio.run(main())


class Asked:
    """A reloader that remembers."""

    def __init__(self) -> None:
        self.begun, self.asked, self.over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def ask(self) -> None:
        self.asked.set()

    def cut_short(self) -> None:
        self.over.set()

    async def run(self, _: Any) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.over.set()


def test_sighup_reloads_and_stops_nothing(lab: Any, spy: Any, directory: Path) -> None:
    async def main() -> None:
        reloader = Asked()
        async with lab.serving(directory, spy, reloader=reloader) as channel:
            await asyncio.wait_for(reloader.begun.wait(), 20)
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(reloader.asked.wait(), 20)
            _, answer = await lab.ask(channel, lab.headers(), lab.body())
            assert lab.cluster(answer) == "on-large"
        assert reloader.over.is_set()

    asyncio.run(main())


def test_what_was_swapped_in_is_released_at_the_end(lab: Any, spy: Any, directory: Path) -> None:
    released: list[str] = []

    class Swaps(Asked):
        async def run(self, swap: Any) -> None:
            swap(structs.replace(lab.build_runtime(spy), release=lambda: released.append("new")))
            await super().run(swap)

    async def main() -> None:
        reloader = Swaps()
        first = structs.replace(lab.build_runtime(spy), release=lambda: released.append("old"))
        async with lab.serving(directory, spy, lambda: first, reloader=reloader):
            await asyncio.wait_for(reloader.begun.wait(), 20)
            assert released == ["old"]
        assert released == ["old", "new"]

    asyncio.run(main())


@pytest.mark.parametrize("comes", [True, False], ids=["it fails soon", "it hangs"])
def test_the_end_does_not_wait_for_what_is_still_being_loaded(
    lab: Any, spy: Any, directory: Path, monkeypatch: Any, comes: bool
) -> None:
    monkeypatch.setattr(app, "_LOAD_GRACE_SECONDS", 20.0 if comes else 0.0)

    async def main() -> None:
        entered, cut, go_on = threading.Event(), threading.Event(), threading.Event()

        class Cuts(Asked):
            def cut_short(self) -> None:
                cut.set()
                if comes:
                    go_on.set()

        def load() -> Any:
            entered.set()
            assert go_on.wait(30)
            raise StartupError("the proof ended with status -9")

        stop = asyncio.Event()
        settings = app.Settings(Address(path=str(directory / "x.sock")), None, share_port=False, drain_seconds=0.0)
        serving = asyncio.create_task(app.serve(settings, load, spy, reloader=Cuts(), stop=stop))  # type: ignore[arg-type]
        assert await asyncio.to_thread(entered.wait, 20)
        stop.set()
        await asyncio.wait_for(serving, 20)
        assert cut.is_set()
        go_on.set()

    asyncio.run(main())
