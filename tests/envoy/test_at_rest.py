"""Nothing that a client wrote is at rest anywhere: not in a log, a metric, a span, the state or a crash's remains.

Words that stand nowhere else are planted in all that a client can write, the router is driven through everything that
can become of a request, and afterwards all that was written or printed is searched for them.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import resource
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, chdir, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from extproc_router.lab import probes, searching
from extproc_router.lab import stack as lab
from extproc_router.lab.simulator import simulators
from extproc_router.server import state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.envoy.conftest import House, Reply

pytestmark = pytest.mark.envoy

FAILING = Path(__file__).with_name("failing")
CONFIG = """\
privacy_tiers: [public, restricted]
models:
  - {{name: small, cluster: small, privacy: restricted}}
  - {{name: large, cluster: large}}
  - {{name: code, cluster: code}}
signals:
  - {{kind: header, name: tenant, header: x-tenant}}
  - {{kind: keyword, name: rude, keywords: [forbiddenword]}}
  - {{kind: keyword, name: mild, keywords: [declineword]}}
  - {{kind: keyword, name: wishes, keywords: [wishword]}}
  - kind: preference
    name: wish
    routes: [{{name: contracts, description: "contract review: finding risky clauses"}}]
    matcher: {{url: "http://127.0.0.1:{matcher}", model: judge, deadline_ms: 500}}
safety:
  - {{name: rude, when: {{rude: true}}, then: block, message: No.}}
  - {{name: mild, when: {{mild: true}}, then: refuse, message: Please do not.}}
  - {{name: mail, when: {{pii: [EMAIL_ADDRESS]}}, then: redact}}
  - {{name: private, when: {{pii: [US_SSN, CREDIT_CARD]}}, then: restrict, when_absent: skip}}
rules:
  - {{name: acme, when: {{tenant: acme}}, use: large}}
  - {{name: wished, when: {{wishes: true, wish: [contracts]}}, use: code}}
  - {{name: maths, when: {{domain: math}}, use: [large, code]}}
routing: {{default: small, sticky_by: "header:x-user", unrouted: pass}}
limits: {{max_body_bytes: 100000, encoder_queue: 1}}
"""


class Words:
    """Makes words that stand nowhere else, and remembers what each was for."""

    def __init__(self) -> None:
        self._random = random.Random(20261122)
        self.made: dict[str, str] = {}

    def __call__(self, what: str) -> str:
        word = f"{self._random.getrandbits(96):024x}"
        # Half of one is told too, where something was cut off.
        self.made |= {word[:12]: what, word[12:]: what}
        return word


class Collector:
    """An OTLP collector that keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[bytes] = []
        self._server = grpc.server(ThreadPoolExecutor(2))
        export = grpc.unary_unary_rpc_method_handler(self._export, request_deserializer=None, response_serializer=None)
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": export}),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def _export(self, spans: bytes, _: object) -> bytes:
        self.spans.append(spans)
        return b""

    def close(self) -> None:
        self._server.stop(None).wait()


class Matcher:
    """A language model that answers each question with what it was asked: as no HTTP, as no JSON, as no route."""

    def __init__(self) -> None:
        self.asked = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        with suppress(OSError):
            while True:
                with self._listening.accept()[0] as client, suppress(OSError):
                    client.settimeout(5)
                    question = client.recv(65536)
                    self.asked += 1
                    match self.asked % 3:
                        case 0:
                            client.sendall(question + b"\r\n")
                        case 1:
                            client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(question) + question)
                        case _:
                            said = {"choices": [{"message": {"content": question.decode(errors="replace")}}]}
                            body = json.dumps(said).encode()
                            client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@contextmanager
def core_dumps_allowed() -> Iterator[None]:
    """As on a machine where they are: what is started has to forbid them itself."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def chat(text: str, **members: Any) -> bytes:
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}], **members}).encode()


class Visit:
    """A client that plants words in all that it writes.

    Args:
        house: what it visits.
        word: makes the words.
    """

    def __init__(self, house: House, word: Words) -> None:
        self._house, self._word = house, word

    def post(self, body: bytes, *headers: tuple[str, str], path: str = "/v1/chat/completions") -> Reply:
        word = self._word
        given = [
            ("content-type", "application/json"),
            ("authorization", f"Bearer {word('authorization')}"),
            ("x-api-key", word("x-api-key")),
            ("cookie", f"session={word('cookie')}"),
            ("user-agent", f"agent/{word('user agent')}"),
            ("x-tenant", word("a header that a signal reads")),
            ("x-user", word("a header that conversations are told apart by")),
            ("x-request-id", f"a request of {word('request id')}"),
            ("traceparent", f"00-{word('traceparent')}"),
            ("tracestate", f"vendor={word('tracestate')}"),
            ("baggage", f"user={word('baggage')}"),
            ("x-llm-decision", word("a forged decision")),
            ("x-selected-cluster", word("a forged cluster")),
        ]
        own = {name for name, _ in headers}
        kept = [pair for pair in given if pair[0] not in own]
        return self._house.post(body, [*kept, *headers], path=f"{path}?key={word('query')}")

    def apis(self) -> None:
        """Every API, whole and streamed, with words in all that it takes."""
        word = self._word
        for stream in (False, True):
            more = {
                "stream": stream,
                "user": word("user"),
                "metadata": {"session": word("metadata"), word("name in metadata"): "x"},
                word("name of an unknown member"): word("unknown member"),
            }
            call = {"id": "c1", "type": "function"}
            call["function"] = {"name": "look", "arguments": json.dumps({"q": word("tool call")})}  # type: ignore[assignment]
            tool = {"type": "function", "function": {"name": "look", "description": word("declaration of a tool")}}
            turns = [
                {"role": "system", "content": word("system prompt")},
                {"role": "user", "name": word("name"), "content": f"Integrate x^2, {word('chat')}"},
                {"role": "assistant", "content": word("assistant"), "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": word("tool result")},
                {"role": "user", "content": [{"type": "text", "text": f"And {word('part')}?"}, self._image()]},
            ]
            said = [{"role": "user", "content": f"Integrate {word('said')}"}]
            bodies: dict[str, dict[str, Any]] = {
                "/v1/chat/completions": {"messages": turns, "tools": [tool]},
                "/v1/completions": {
                    "prompt": [word("completion"), word("second completion")],
                    "suffix": word("suffix"),
                },
                "/v1/responses": {"instructions": word("instructions"), "input": said},
                "/v1/embeddings": {"input": [word("embedding")]},
                "/v1/messages": {"system": word("system"), "max_tokens": 9, "messages": said},
            }
            for path, body in bodies.items():
                assert self.post(json.dumps({"model": "auto", **more, **body}).encode(), path=path).status in {200, 404}

    def _image(self) -> dict[str, Any]:
        data = base64.b64encode(f"not quite a picture of {self._word('picture')}".encode()).decode()
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}

    def spellings(self) -> None:
        """Prompts as other clients spell them."""
        word = self._word
        escaped = "".join(f"\\u{ord(char):04x}" for char in word("escaped"))
        assert self.post(chat("TEXT").replace(b"TEXT", escaped.encode())).status == 200
        for coding in ("gzip", "x-gzip", "zstd", f"gzip, {word('content coding')}"):
            self.post(gzip.compress(chat(word(coding))), ("content-encoding", coding))

    def safety(self) -> None:
        """What safety rules do."""
        word = self._word
        assert self.post(chat(f"forbiddenword {word('blocked')}")).status == 403
        for path, member in (
            ("/v1/chat/completions", "messages"),
            ("/v1/responses", "input"),
            ("/v1/messages", "messages"),
        ):
            for stream in (False, True):
                said = [{"role": "user", "content": f"declineword {word('declined')}"}]
                body = {"model": "auto", "max_tokens": 9, "stream": stream, member: said}
                assert self.post(json.dumps(body).encode(), path=path).status == 200
        assert self.post(chat(f"Write to {word('redacted')}@mail-example.com, card 4111 1111 1111 1111")).status == 200
        assert self.post(chat(f"My SSN is 536-22-8741, {word('restricted')}")).status == 200
        restricted = ("x-privacy-tier", "restricted")
        assert self.post(chat(word("not allowed"), model="large"), restricted).status == 403
        assert self.post(chat(word("misspelt tier")), ("x-privacy-tier", f"my {word('tier')}")).status == 200

    def refusals(self) -> None:
        """What is refused, or passed unread."""
        word = self._word
        assert self.post(chat(word("unknown model"), model=f"please ask {word('model')} now")).status == 404
        bodies = [
            chat(word("cut off"))[:-4],
            chat(word("junk after it")) + b"}",
            chat(word("invalid UTF-8")).replace(b"auto", b"\xff\xfe"),
            json.dumps({"model": "auto", "messages": word("no messages")}).encode(),
            json.dumps({"model": [word("no model")], "messages": []}).encode(),
            json.dumps({"model": "auto", "messages": [{"role": f"a {word('role')}", "content": "x"}]}).encode(),
            json.dumps({"model": "auto", "messages": [{"role": "user", "content": {word("odd part"): 1}}]}).encode(),
            b'{"model":"auto","messages":' + b"[" * 5000 + word("deep").encode(),
            word("no JSON").encode(),
        ]
        for body in bodies:
            assert self.post(body).status in {200, 400}
        assert self.post(chat(word("too long") + "x" * 200_000)).status == 413
        self.post(chat(word("multipart")), ("content-type", f"multipart/form-data; boundary={word('boundary')}"))
        self.post(chat(word("unrouted")), path="/v1/files")

    def failures(self) -> None:
        """The encoder, the router and the matcher fail, with exceptions that quote the prompt."""
        word = self._word
        for _ in range(6):
            # A safety rule needs the encoder.
            assert self.post(chat(f"break the encoder {word('failed encoder')}")).status == 503
            self.post(chat(f"break the router {word('failed router')}"))
            assert self.post(chat(f"wishword: my contract {word('matcher')}")).status == 200
            self.post(gzip.compress(chat(f"break the encoder {word('gzip')}")), ("content-encoding", "gzip"))

    def overload(self) -> None:
        """More than the encoder takes."""
        bodies = [chat(f"{self._word('overload')} {'thermodynamics of engines ' * 100}") for _ in range(80)]
        with ThreadPoolExecutor(16) as clients:
            assert {reply.status for reply in clients.map(self.post, bodies)} == {200, 503}

    def leave(self) -> None:
        """Go away in the midst of a header, of a body, and of an answer."""
        port, body = self._house.stack.envoy.port, chat(self._word("left during the answer"), stream=True)
        path = f"/v1/chat/completions?left={self._word('left during the query')}".encode()
        head = b"POST %b HTTP/1.1\r\nhost: %b\r\ncontent-length: %d\r\n"
        for sent in (
            head % (path, self._word("host").encode(), 5) + f"x-note: {self._word('left during a header')}".encode(),
            head % (path, b"x", 90_000) + b"\r\n" + chat(self._word("left during the body")),
            head % (path, b"x", len(body)) + b"\r\n" + body,
        ):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                client.sendall(sent)
                client.settimeout(0.2)
                with suppress(TimeoutError):
                    client.recv(64)


def may_dump(pid: int) -> bool:
    [limit] = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core")]
    return limit.split()[4:6] != ["0", "0"]


def worker_pids(directory: Path) -> set[int]:
    return {seen.state.pid for seen in state.workers(directory) if seen.alive and seen.state.version}


@contextmanager
def houses(make_house: type[House], directory: Path, collector: Collector, matcher: Matcher) -> Iterator[House]:
    """A house with two workers that tell all they can: debug logs, spans, state; stray files fall into `directory`."""
    config, kept = directory / "config" / "router.yaml", directory / "state"
    config.parent.mkdir()
    config.write_text(CONFIG.format(matcher=matcher.port))
    (directory / "tmp").mkdir()
    with ExitStack() as parts:
        servers = parts.enter_context(simulators(lab.CLUSTERS))
        patch = parts.enter_context(pytest.MonkeyPatch.context())
        for name, value in {
            "EXTPROC_ROUTER_LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "PYTHONPATH": str(FAILING),
            "PYTHONASYNCIODEBUG": "1",
            "TMPDIR": str(directory / "tmp"),
        }.items():
            patch.setenv(name, value)
        parts.enter_context(chdir(directory))
        parts.enter_context(core_dumps_allowed())
        arguments = ("--workers=2", f"--listen=unix:{directory}/{{worker}}.sock", f"--state={kept}")
        router = parts.enter_context(lab.router(directory, config=config, arguments=arguments))
        clusters = {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
        clusters["extproc_router"] = f"unix:{directory}/0.sock"
        envoy = parts.enter_context(lab.envoy(directory, clusters=clusters, change=lambda base: both(base, directory)))
        house = make_house(lab.Stack(directory, servers, router, envoy, {}))
        house.eventually(lambda: len(worker_pids(kept)) == 2)
        yield house
        house.close()


def both(bootstrap: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Give Envoy the sockets of both workers."""
    [cluster] = [each for each in bootstrap["static_resources"]["clusters"] if each["name"] == "extproc_router"]
    pipes = [{"endpoint": {"address": {"pipe": {"path": f"{directory}/{index}.sock"}}}} for index in range(2)]
    cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": pipes}]
    return bootstrap


def crash(house: House, visit: Visit, number: signal.Signals, word: Words) -> None:
    """Kill a worker that has read prompts and holds one; wait for the next."""
    kept = house.stack.directory / "state"
    before = worker_pids(kept)
    with socket.create_connection(("127.0.0.1", house.stack.envoy.port), timeout=20) as client:
        body = chat(word(f"in flight at {number.name}"))
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\n" + body)
        victim = min(before)
        os.kill(victim, number)
        house.eventually(lambda: len(worker_pids(kept) - {victim}) == 2)
    house.eventually(lambda: visit.post(chat(word(f"after {number.name}"))).status == 200)


def refuse_a_config(house: House) -> None:
    config = house.stack.directory / "config" / "router.yaml"
    text = config.read_text()
    config.write_text(text.replace("default: small", "default: smal"))
    house.eventually(
        lambda: all(seen.state.rejected_version for seen in state.workers(house.stack.directory / "state"))
    )
    config.write_text(text)


def printed_by(house: House) -> dict[str, bytes]:
    """What can be asked of the router and of Envoy."""
    metrics, admin = house.stack.router.metrics_port, house.stack.envoy.admin_port
    pages = ("/stats", "/stats/prometheus", "/clusters", "/config_dump", "/server_info")
    printed = {f"Envoy's {path}": probes.get(admin, path)[1] for path in pages}
    return {"metrics": probes.get(metrics, "/metrics")[1], **printed}


def test_nothing_that_a_client_wrote_is_at_rest(make_house: type[House]) -> None:
    word, collector, matcher = Words(), Collector(), Matcher()
    with ExitStack() as parts:
        directory = parts.enter_context(lab.workspace())
        parts.callback(collector.close)
        parts.callback(matcher.close)
        with houses(make_house, directory, collector, matcher) as house:
            visit = Visit(house, word)
            assert not any(map(may_dump, (house.stack.router.child.pid, *worker_pids(directory / "state"))))
            acts: list[Callable[[], None]] = [visit.apis, visit.spellings, visit.safety, visit.refusals, visit.failures]
            for act in (*acts, visit.overload, visit.leave):
                act()
            refuse_a_config(house)
            matcher.close()
            visit.failures()
            for number in (signal.SIGABRT, signal.SIGSEGV):
                crash(house, visit, number, word)
            visit.apis()
            house.access(visit.post(chat(word("last"))).headers["x-request-id"])
            house.eventually(lambda: len(collector.spans) > 2)
            printed = printed_by(house)
            received = b"".join(request.body for request in house.received)
            decisions = lab.read_json_lines(house.stack.router.decisions)
        printed["spans"] = b"".join(collector.spans)

        # Everything happened that was meant to ...
        reasons = {line["reason"] for line in decisions}
        assert reasons >= {"rule", "blocked", "declined", "refused", "unchecked", "passed", "no_rule"}
        assert matcher.asked > 3
        log = (directory / "router.log").read_text()
        for happened in ("RuntimeError", "status -6", "status -11", "not applied"):
            assert happened in log
        assert [path for path in directory.rglob("core*") if not path.suffix.isalpha()] == []
        # ... and a word is found where it should be, and nowhere else.
        control = directory / "tmp" / "control"
        control.write_bytes(gzip.compress(json.dumps({"x": word("control")}).encode()))
        searcher = searching.Searcher(word.made)
        assert searcher.bytes("upstream", received)
        found = searcher.files(directory)
        found += [finding for place, data in printed.items() for finding in searcher.bytes(place, data)]
        assert {(word.made[each.word], each.place) for each in found} == {("control", str(control))}, found
