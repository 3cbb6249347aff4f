"""Load for the benchmark: prompts of a known length, sent by wrk where it is installed, else by our own generator."""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path

CHAT = "/v1/chat/completions"
GRACE_SECONDS = 30.0
SEED = 20_260_101

# Each is one WordPiece token of BERT's uncased vocabulary, so that a prompt's length in tokens is its length in words.
_TEXT = """
the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which
one you were all her she there would their we him been has when who will no more if out so up said what its about
than into them can only other time new some could these two may first then do any like my now over such our man
me even most made after also did many off before must well back through years much where your way down should
because long each just state those people too mr how little good world make very year still see own work men day
get here old life both between being under three never know same last another while us might great go come since
against right came take used himself few house american use place during high without again home around small
"""
WORDS = _TEXT.split()

_WRK_SCRIPT = """\
local requests, at = {}, 0
function init(args)
  for line in io.popen('ls "' .. args[1] .. '"'):lines() do
    local file = io.open(args[1] .. "/" .. line, "rb")
    local headers = {["content-type"] = "application/json"}
    requests[#requests + 1] = wrk.format("POST", nil, headers, file:read("*a"))
    file:close()
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests":%d,"seconds":%.6f,"errors":%d,"p50_ms":%.4f,"p99_ms":%.4f,"max_ms":%.4f}\\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.timeout + e.status,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run of load found; latencies in ms, of whole answers."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def per_second(self) -> float:
        """Throughput."""
        return self.requests / self.seconds


def bodies(directory: Path, *, model: str, tokens: int, count: int, first: str = "") -> Path:
    """Write chat requests into a new directory, every text another one; returns the directory.

    Args:
        directory: to be made.
        model: what they ask for.
        tokens: length of the prompt, in words of one token each.
        count: how many.
        first: word that all prompts begin with.
    """
    directory.mkdir()
    for number in range(count):
        content = f"{first} {prompt(tokens, seed=SEED + number)}".lstrip()
        (directory / f"{number:05}").write_bytes(chat(model, content))
    return directory


def chat(model: str, content: str, *, stream: bool = False) -> bytes:
    """Write a chat request with one turn."""
    streamed = {"stream": True} if stream else {}
    return json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **streamed}).encode()


def prompt(tokens: int, *, seed: int) -> str:
    """A text of so many words, one token each; the same seed gives the same text."""
    return " ".join(random.Random(seed).choices(WORDS, k=tokens))


def generator_name() -> str:
    """Which generator `run` uses, in words."""
    return "wrk, 1 thread" if shutil.which("wrk") else "own (asyncio, 1 process)"


def run(port: int, bodies: Path, *, connections: int, seconds: float, scratch: Path) -> Result:
    """Send chat requests to 127.0.0.1:`port`, from another process, each connection one at a time.

    Args:
        port: Envoy's.
        bodies: directory of request bodies, sent in turn.
        connections: kept alive.
        seconds: how long; wrk takes whole seconds, rounded up.
        scratch: an existing directory.

    Raises:
        StartupError: the generator failed.
    """
    if wrk := shutil.which("wrk"):
        script = scratch / "load.lua"
        script.write_text(_WRK_SCRIPT, encoding="utf-8")
        argv = [wrk, "-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "--timeout", "10s", "-s", str(script)]
        argv += [f"http://127.0.0.1:{port}{CHAT}", "--", str(bodies)]
    else:
        argv = [sys.executable, "-m", "extproc_router.lab.loadgen", str(port), CHAT]
        argv += [str(connections), str(seconds), str(bodies)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + GRACE_SECONDS, check=False)
    if done.returncode != 0:
        raise StartupError(f"the load generator failed: {argv[0]}: {done.stderr.strip()[-500:]}")
    return Result(**json.loads(done.stdout.strip().splitlines()[-1]))
