"""The demo: real prompts through real Envoy, and a table of where each went and why."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai import APIStatusError, OpenAI, OpenAIError

from extproc_router.errors import RouterError
from extproc_router.lab import chain_demo, privacy_demo
from extproc_router.lab.prompts import ASKS, Ask
from extproc_router.lab.stack import Stack, public_port, read_json_lines, stack
from extproc_router.lab.table import Column, Side, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = Table((
    Column("PROMPT", 31),
    Column("DOMAIN", 16),
    Column("CONF", 4, Side.RIGHT),
    Column("WHY", 14),
    Column("CLUSTER", 7),
    Column("ANSWERED BY", 11),
    Column("MS", 5, Side.RIGHT),
))  # fmt: skip
LOG_SECONDS = 5.0  # the decision log is written a little after the answer
POLL_SECONDS = 0.1
CLIENT_SECONDS = 30.0
KEPT = "The private prompt was answered by `local` or by nobody; `external` never received it."
CAUGHT = "Whoever failed, or was doubted: the client asked once, and got one clean answer."
CURL = """\
  curl -s {url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{{"model": "auto", "messages": [{{"role": "user", "content": "Is 2^31-1 a prime number?"}}]}}'"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a client got: HTTP status, the request's id, the model that the answer names, and its text."""

    status: int
    request_id: str
    model: str
    text: str


def run(*, once: bool) -> int:
    """Run the demo.

    Args:
        once: end after the table; otherwise stay until Ctrl-C and show what comes in.

    Returns:
        0 where every request did what it should, else 1.

    Raises:
        StartupError: something does not start.
    """
    start = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - start:4.1f} s] starting {what}", flush=True)

    with stack(port=public_port(), say=say) as running:
        print(f"[{time.monotonic() - start:4.1f} s] ready\n\n{TABLE.head()}", flush=True)
        problems = show_all(running, ASKS)
        print("\n" + summary(running, ASKS, problems), flush=True)
        print("\nA private prompt (examples/privacy-first), and the requests that reached a cluster:\n", flush=True)
        spoilt = privacy_demo.run()
        print("\n" + verdict(spoilt, KEPT), flush=True)
        print("\nOne model fails, or is doubted (examples/cascade):\n", flush=True)
        lost = chain_demo.run()
        print("\n" + verdict(lost, CAUGHT), flush=True)
        if not once:
            print(_invitation(running), flush=True)
            _follow(running)
    return 1 if problems or spoilt or lost else 0


def show_all(running: Stack, asks: Sequence[Ask]) -> list[str]:
    """Ask everything, printing a line for each answer; returns what went wrong, in words."""
    problems: list[str] = []
    with OpenAI(base_url=f"{running.envoy.url}/v1", api_key="none", max_retries=0, timeout=CLIENT_SECONDS) as client:
        for ask in asks:
            try:
                heard = listen(client, ask)
                decision = decision_of(running, heard.request_id)
            except (OpenAIError, RouterError) as error:
                print(TABLE.row([ask.prompt, "-", "-", type(error).__name__, "-", "-", "-"]), flush=True)
                problems.append(f"{ask.prompt!r}: {error}")
                continue
            print(line(ask.prompt, decision, heard.model), flush=True)
            problems += complaints(ask, heard, decision)
    return problems


def listen(client: OpenAI, ask: Ask) -> Heard:
    """Send one request as the openai client does, and take its answer in.

    Raises:
        OpenAIError: there was no HTTP answer.
    """
    headers = {"x-privacy-tier": ask.tier} if ask.tier else {}
    call: dict[str, Any] = {
        "model": ask.model,
        "messages": [{"role": "user", "content": ask.prompt}],
        "extra_headers": headers,
    }
    try:
        raw = client.chat.completions.with_raw_response.create(**call, stream=ask.stream)
    except APIStatusError as error:
        reply = error.response
        return Heard(error.status_code, reply.headers.get("x-request-id", ""), f"{error.status_code} error", str(error))
    request_id = raw.headers.get("x-request-id", "")
    parsed: Any = raw.parse()
    if not ask.stream:
        return Heard(200, request_id, parsed.model, parsed.choices[0].message.content or "")
    chunks = list(parsed)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    return Heard(200, request_id, chunks[-1].model if chunks else "", text)


def decision_of(running: Stack, request_id: str) -> dict[str, Any]:
    """Find a request's decision in the router's log.

    Raises:
        RouterError: it is not there within `LOG_SECONDS`.
    """
    end = time.monotonic() + LOG_SECONDS
    while time.monotonic() < end:
        for record in read_json_lines(running.router.decisions):
            if record.get("request_id") == request_id:
                return record
        time.sleep(POLL_SECONDS / 5)
    raise RouterError(f"the decision log does not know request {request_id!r}")


def line(what: str, decision: dict[str, Any], answered_by: str) -> str:
    """One line of the table."""
    signals = decision["signals"]
    domain, confidence = (signals[0]["label"], f"{signals[0]['confidence']:.2f}") if signals else ("-", "-")
    reason = str(decision["reason"]).replace("_", " ")
    return TABLE.row(
        [what, domain, confidence, reason, decision["cluster"] or "-", answered_by, f"{decision['total_ms']:.1f}"]
    )


def complaints(ask: Ask, heard: Heard, decision: dict[str, Any]) -> list[str]:
    """What is wrong with an answer: nothing, where the model that was chosen gave it."""
    found = []
    if heard.status != ask.status:
        found.append(f"{ask.prompt!r}: HTTP {heard.status}, expected {ask.status}: {heard.text}")
    elif heard.status == 200 and (  # noqa: PLR2004 (HTTP's own number)
        heard.model != decision["model"] or f"on {decision['cluster']} " not in heard.text
    ):
        found.append(f"{ask.prompt!r}: decided {decision['model']}, answered by {heard.model}: {heard.text}")
    return found


def summary(running: Stack, asks: Sequence[Ask], problems: Sequence[str]) -> str:
    """How it went, in a few lines."""
    reached = ", ".join(f"{name} {server.total}" for name, server in running.servers.items())
    lines = [f"{len(asks)} requests, {len(problems)} problems. Requests that reached a cluster: {reached}."]
    lines += [f"  problem: {problem}" for problem in problems]
    return "\n".join(lines)


def verdict(problems: Sequence[str], promise: str) -> str:
    """What an act has shown, in a line; or what went wrong."""
    return "\n".join(f"  problem: {problem}" for problem in problems) or promise


def _invitation(running: Stack) -> str:
    return f"""
Envoy is at {running.envoy.url}, with the router beside it. Try it; a line appears here:

{CURL.format(url=running.envoy.url)}

  decisions  tail -f {running.router.decisions}
  metrics    http://127.0.0.1:{running.router.metrics_port}/metrics
  Envoy      http://127.0.0.1:{running.envoy.admin_port}

Ctrl-C stops everything.
"""


def _follow(running: Stack) -> None:
    """Show each decision as it comes, until Ctrl-C or until something ends."""
    shown = len(read_json_lines(running.router.decisions))
    try:
        while True:
            for child in (running.router.child, running.envoy.child):
                if child.process.poll() is not None:
                    raise RouterError(f"{child.name} ended:\n{child.tail()}")
            records = read_json_lines(running.router.decisions)
            for record in records[shown:]:
                asked = f"(yours) {record['api'] or 'not an API path'}"
                print(line(asked, record, record["model"] or str(record["status"] or "-")), flush=True)
            shown = len(records)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
