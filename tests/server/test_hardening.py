"""Each case runs in an interpreter of its own: what is hardened stays so."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import ModelNotFound, StartupError
from extproc_router.server import hardening

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "the secret of the prompt"


def say(program: str, *, directory: Path | None = None) -> tuple[int, str]:
    """Run a program that is hardened first; returns its exit status, and all that it said."""
    text = f"""
import asyncio, logging, sys, threading, gc
from extproc_router.server import hardening
SECRET = {SECRET!r}
logging.basicConfig(stream=sys.stderr, level="DEBUG")
hardening.harden()
{dedent(program)}
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", text],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=directory,
    )
    said = done.stdout + done.stderr
    # The program itself is on no line of a traceback: what `-c` runs has no source.
    assert SECRET not in said
    return done.returncode, said


FAIL = """
def fail(text):
    try:
        {}[text]
    except KeyError as error:
        raise ValueError(text) from error
"""


def test_what_ends_the_process_says_what_and_where() -> None:
    status, said = say(FAIL + "fail(SECRET)")
    assert status == 1
    for part in ("this process fails: ValueError", "in fail", "caused by KeyError"):
        assert part in said


def test_a_thread_that_fails() -> None:
    status, said = say(
        FAIL + "thread = threading.Thread(target=fail, args=[SECRET], name='reader')\nthread.start(); thread.join()"
    )
    assert (status, "thread reader fails: ValueError" in said) == (0, True)


def test_a_destructor_that_fails() -> None:
    status, said = say(
        FAIL
        + """
class Body:
    def __init__(self, text): self.text = text
    def __repr__(self): return self.text
    def __del__(self): fail(self.text)
body = Body(SECRET)
del body
"""
    )
    assert (status, "a failure that nobody could be told: ValueError" in said) == (0, True)


@pytest.mark.parametrize("loop", ["asyncio.new_event_loop", "__import__('uvloop').new_event_loop"])
def test_what_fails_on_an_event_loop(loop: str) -> None:
    _, said = say(
        FAIL
        + f"""
async def late(text): fail(text)
async def slow(text): __import__("time").sleep(0.2)
async def main():
    loop = asyncio.get_running_loop()
    hardening.quiet_loop(loop)
    loop.call_soon(fail, SECRET)
    task = asyncio.create_task(late(SECRET), name=SECRET)
    await asyncio.sleep(0)
    await asyncio.create_task(slow(SECRET), name=SECRET)
    await asyncio.sleep(0)
    del task
    gc.collect()
asyncio.Runner(loop_factory={loop}, debug=True).run(main())
"""
    )
    assert said.count("the event loop: ValueError") == 2


def test_what_a_library_logs_with_its_exception() -> None:
    _, said = say(
        FAIL
        + """
log = logging.getLogger("grpc._cython.cygrpc")
try: fail(SECRET)
except ValueError: log.exception("Unexpected [%s] raised", "ValueError")
log.error("%d", SECRET)
"""
    )
    assert "Unexpected [ValueError] raised\nValueError" in said


def test_a_warning_says_what_it_is_and_where() -> None:
    _, said = say(
        """
import warnings
warnings.simplefilter("always")
warnings.warn(SECRET, RuntimeWarning)
warnings.warn_explicit(UserWarning(SECRET), None, "codec.py", 7)
warnings.showwarning(SECRET, UserWarning, "codec.py", 8, sys.stderr, SECRET)
"""
    )
    for part in ("RuntimeWarning from <string>:", "UserWarning from codec.py:7", "UserWarning from codec.py:8"):
        assert part in said


def test_nobody_dumps_or_looks_into_the_process(tmp_path: Path) -> None:
    program = """
import ctypes, os, resource
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3), flush=True)
os.abort()
"""
    status, said = say(program, directory=tmp_path)
    assert (status, "(0, 0) 0" in said) == (-6, True)
    assert list(tmp_path.iterdir()) == []


def test_dumps_may_be_had_where_they_are_asked_for() -> None:
    program = "import ctypes; from extproc_router.server import hardening; hardening.harden(core_dumps=True)"
    command = [sys.executable, "-c", f"{program}; print(ctypes.CDLL(None).prctl(3))"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n"


def test_our_own_errors_say_what_they_say_and_those_that_quote_clients_do_not() -> None:
    assert hardening.told(StartupError("no such file")) == "extproc_router.errors.StartupError: no such file"
    assert hardening.told(ModelNotFound("a prompt")) == "extproc_router.errors.ModelNotFound"
    assert hardening.told(None) == ""


def test_a_chain_without_end_ends() -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    assert hardening.told(first).count("ValueError") == 8
