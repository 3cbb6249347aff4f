"""The verifier on a socket: gRPC messages in, gRPC messages out."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import grpc
import msgspec
import pytest
from envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router.attempts import Verdict, Verification
from extproc_router.extproc import codec, verifying
from extproc_router.server import service, verifier
from extproc_router.server.verifier import Verifier
from extproc_router.verifier import keeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from extproc_router.verifier.verdicts import Judge

ASKED = Verification(
    decision_id="d",
    rule="r",
    api="chat_completions",
    stream=False,
    accept_at=0.5,
    first_tokens=1,
    models=("weak", "strong", "weak"),
    costs=((1.0, 2.0), (10.0, 20.0), (1.0, 2.0)),
    strips_logprobs=True,
)


def answer(text: str) -> bytes:
    choice = {"index": 0, "message": {"content": text}, "logprobs": {"content": [{"logprob": -0.5}]}}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 4}}).encode()


GOOD, BAD, BROKEN = answer("good"), answer("bad"), answer("broken")

SAID = "what the answer said"


class Stub:
    """Judges by what an answer says; remembers on which threads."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def judge(self, heard: Any, asked: Verification, *, partial: bool = False) -> Verdict:
        self.threads.append(threading.current_thread().name)
        if "broken" in heard.text:
            raise ValueError(heard.text)
        return Verdict(0.9, accepted="bad" not in heard.text)


class Side:
    """Envoy's side."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stream: Any = channel.stream_stream(
            f"/{codec.SERVICE}/{codec.METHOD}",
            request_serializer=pb.ProcessingRequest.SerializeToString,
            response_deserializer=pb.ProcessingResponse.FromString,
        )()

    async def begin(self, number: int, asked: Verification = ASKED, mode: str = "STREAMED", **more: Any) -> None:
        message = pb.ProcessingRequest(**more)
        message.protocol_config.response_body_mode = processing_mode_pb2.ProcessingMode.BodySendMode.Value(mode)
        message.protocol_config.send_body_without_waiting_for_header_response = True
        message.request_headers.headers.headers.add(key="x-envoy-attempt-count", raw_value=str(number).encode())
        terms = msgspec.json.encode(asked).decode()
        message.metadata_context.filter_metadata[codec.CASCADE_NAMESPACE].fields[verifying.TERMS].string_value = terms
        await self.stream.write(message)

    async def headers(self, status: str = "200", content_type: str = "application/json") -> None:
        message = pb.ProcessingRequest()
        for key, value in ((":status", status), ("content-type", content_type)):
            message.response_headers.headers.headers.add(key=key, raw_value=value.encode())
        await self.stream.write(message)

    async def body(self, data: bytes, *, end: bool = True) -> None:
        await self.stream.write(pb.ProcessingRequest(response_body=pb.HttpBody(body=data, end_of_stream=end)))

    async def read(self) -> Any:
        return await asyncio.wait_for(self.stream.read(), 20)

    async def close(self) -> None:
        await self.stream.done_writing()
        assert await self.read() is grpc.aio.EOF


@asynccontextmanager
async def serving(directory: Path, spy: Any, judge: Callable[[], Stub] = Stub) -> AsyncIterator[Any]:
    serves = Verifier(cast("Callable[[], Judge]", judge), spy)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((service.handler(serves),))
    server.add_insecure_port(f"unix:{directory}/verifier.sock")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"unix:{directory}/verifier.sock") as channel:
            yield lambda: Side(channel)
    finally:
        await server.stop(5)
        serves.close()


def sets(response: Any) -> dict[str, str]:
    options = response.response_headers.response.header_mutation.set_headers
    return {option.header.key: option.header.raw_value.decode() for option in options}


def test_a_good_answer_is_served_without_its_log_probabilities(spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1)
            assert (await side.read()).WhichOneof("response") == "request_headers"
            await side.headers()
            await side.body(GOOD)
            head, body = await side.read(), await side.read()
            stripped = body.response_body.response.body_mutation.body
            assert json.loads(stripped)["choices"][0]["logprobs"] is None
            assert sets(head) == {"content-length": str(len(stripped))}
            await side.close()

    asyncio.run(main())
    assert [judged.verdict for judged in spy.cascades] == ["accepted"]
    assert spy.open == 0


def test_a_doubted_answer_is_served_once_the_strong_model_has_failed(spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with serving(directory, spy) as connect:
            first = connect()
            await first.begin(1)
            await first.headers()
            await first.body(BAD)
            await first.read()
            assert sets(await first.read())["x-cascade-escalate"] == "1"
            first.stream.cancel()
            second = connect()
            await second.begin(2)
            await second.read()
            await second.headers("503")
            assert sets(await second.read()) == {"x-cascade-escalate": "1"}
            assert await second.read() is grpc.aio.EOF
            third = connect()
            await third.begin(3)
            kept = (await third.read()).immediate_response
            assert (kept.status.code, json.loads(kept.body)["choices"][0]["message"]) == (200, {"content": "bad"})
            assert await third.read() is grpc.aio.EOF

    asyncio.run(main())
    assert [(judged.verdict, len(judged.attempts)) for judged in spy.cascades] == [("kept", 1)]


def test_who_judges_now_judges_what_begins_now(spy: Any, directory: Path) -> None:
    judges = [Stub()]

    async def main() -> None:
        async with serving(directory, spy, lambda: judges[-1]) as connect:
            for _ in range(2):
                side = connect()
                await side.begin(1)
                await side.read()
                judges.append(Stub())
                await side.headers()
                await side.body(GOOD)
                await side.read()
                await side.read()
                await side.close()

    asyncio.run(main())
    assert [len(judge.threads) for judge in judges] == [1, 1, 0]


def test_what_takes_long_is_read_on_another_thread(spy: Any, directory: Path) -> None:
    stub = Stub()

    async def main() -> None:
        async with serving(directory, spy, lambda: stub) as connect:
            for text in ("short", "x" * verifier._INLINE_BYTES):
                side = connect()
                await side.begin(1)
                await side.headers()
                await side.body(answer(text))
                assert [(await side.read()).WhichOneof("response") for _ in range(3)][-1] == "response_body"
                await side.close()

    asyncio.run(main())
    assert [name.startswith("verifier") for name in stub.threads] == [False, True]


def test_a_judge_that_fails_costs_no_answer_and_quotes_none(
    spy: Any, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1)
            await side.headers()
            await side.body(BROKEN)
            responses = [await side.read() for _ in range(3)]
            assert "x-cascade-escalate" not in sets(responses[1])
            assert b"broken" in responses[2].response_body.response.body_mutation.body
            await side.close()

    asyncio.run(main())
    assert spy.failures == {"judge_failed": 1}
    assert [judged.verdict for judged in spy.cascades] == ["failed"]
    assert "ValueError" in caplog.text
    assert "broken" not in caplog.text


def test_reading_that_fails_lets_the_answer_pass(
    spy: Any, directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(SAID)

    monkeypatch.setattr("extproc_router.verifier.assessing.weigh", fail)

    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1)
            await side.headers()
            await side.body(GOOD)
            last = [await side.read() for _ in range(3)][-1]
            assert not last.response_body.response.HasField("body_mutation")
            await side.close()

    asyncio.run(main())
    assert spy.failures == {"judge_failed": 1}
    assert SAID not in caplog.text


def test_in_a_mode_in_which_nothing_can_be_held_nothing_is_touched(spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1, mode="BUFFERED")
            assert await side.read() is grpc.aio.EOF

    asyncio.run(main())
    assert spy.failures == {"verifier_mode": 1}


def test_who_breaks_the_protocol_is_told(spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1)
            await side.read()
            await side.begin(1)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await side.read()
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            side = connect()
            await side.stream.done_writing()
            assert await side.read() is grpc.aio.EOF

    asyncio.run(main())
    assert spy.failures == {"protocol_error": 1}


def test_messages_of_tomorrow_are_counted(spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1)
            await side.read()
            await side.stream.write(pb.ProcessingRequest())
            await side.close()

    asyncio.run(main())
    assert spy.failures == {"unknown_message": 1}


def test_a_defect_of_ours_ends_its_own_stream_alone(
    spy: Any, directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise ValueError(SAID)

    async def main() -> None:
        async with serving(directory, spy) as connect:
            with monkeypatch.context() as patch:
                patch.setattr("extproc_router.extproc.verifying.decode", fail)
                side = connect()
                await side.begin(1)
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await side.read()
                assert caught.value.code() is grpc.StatusCode.INTERNAL
            side = connect()
            await side.begin(1)
            assert (await side.read()).WhichOneof("response") == "request_headers"

    asyncio.run(main())
    assert spy.failures == {"internal_error": 1}
    assert SAID not in caplog.text


def test_a_doubt_that_nobody_follows_is_told_after_a_while(
    spy: Any, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SECONDS", 0.02)

    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1)
            await side.headers()
            await side.body(BAD)
            for _ in range(3):
                await side.read()
            await side.close()
            async with asyncio.timeout(20):
                while not spy.cascades:  # noqa: ASYNC110 - it is told by a timer
                    await asyncio.sleep(0.01)

    asyncio.run(main())
    assert [judged.verdict for judged in spy.cascades] == ["doubted"]


def test_what_is_still_open_at_the_end_is_told(spy: Any, directory: Path) -> None:
    async def main() -> None:
        async with serving(directory, spy) as connect:
            side = connect()
            await side.begin(1)
            await side.headers()
            await side.body(BAD)
            for _ in range(3):
                await side.read()
            await side.close()
            assert spy.cascades == []

    asyncio.run(main())
    assert [judged.verdict for judged in spy.cascades] == ["doubted"]


def test_more_answers_than_may_be_held_flow_unjudged(
    spy: Any, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MAX_BYTES", len(GOOD) + 10)

    async def main() -> None:
        async with serving(directory, spy) as connect:
            holding, other = connect(), connect()
            for side in (holding, other):
                await side.begin(1)
                await side.read()
                await side.headers()
            await holding.body(GOOD[:-1], end=False)
            await holding.stream.write(pb.ProcessingRequest())
            async with asyncio.timeout(20):
                while not spy.failures:  # noqa: ASYNC110 - so the body before it was heard
                    await asyncio.sleep(0.01)
            await other.body(GOOD)
            assert [(await other.read()).WhichOneof("response") for _ in range(2)] == [
                "response_headers",
                "response_body",
            ]
            await other.close()
            await holding.body(GOOD[-1:])
            for _ in range(3):
                await holding.read()
            await holding.close()

    asyncio.run(main())
    assert sorted(judged.verdict for judged in spy.cascades) == ["accepted", "unjudged"]
