from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab.processes import running, wait_until

STUBBORN = (
    "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)
PARENT_OF_ONE = (
    "import subprocess,sys,time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(child.pid, flush=True); time.sleep(60)"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def wait_for(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_process_runs_as_long_as_the_block(tmp_path: Path) -> None:
    with running(python("import time; print('up', flush=True); time.sleep(60)"), name="one", directory=tmp_path) as one:
        wait_until(lambda: "up" in one.tail(), one, seconds=20)
        assert one.process.poll() is None
    assert one.process.poll() == -signal.SIGTERM
    assert one.log == tmp_path / "one.log"


def test_standard_output_can_have_a_file_of_its_own(tmp_path: Path) -> None:
    code = "import sys; print('for machines'); print('for people', file=sys.stderr)"
    with running(python(code), name="two", directory=tmp_path, stdout=tmp_path / "out") as two:
        two.process.wait(20)
    assert (tmp_path / "out").read_text() == "for machines\n"
    assert two.tail() == "for people"


def test_variables_are_added_to_our_own(tmp_path: Path) -> None:
    code = "import os; print(os.environ['LAB_WORD'], 'PATH' in os.environ)"
    with running(python(code), name="env", directory=tmp_path, env={"LAB_WORD": "hello"}) as child:
        child.process.wait(20)
    assert child.tail() == "hello True"


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    with running(python(STUBBORN), name="deaf", directory=tmp_path) as child:
        wait_until(lambda: "deaf" in child.tail(), child, seconds=20)
        assert child.stop(grace_seconds=0.1) == -signal.SIGKILL


def test_its_own_children_end_with_it(tmp_path: Path) -> None:
    with running(python(PARENT_OF_ONE), name="family", directory=tmp_path) as child:
        wait_until(lambda: child.tail().isdigit(), child, seconds=20)
        grandchild = int(child.tail())
        assert is_alive(grandchild)
    wait_for(lambda: not is_alive(grandchild))


def test_the_kernel_ends_it_when_we_are_killed(tmp_path: Path) -> None:
    code = (
        "import sys,time; from pathlib import Path; from extproc_router.lab.processes import running\n"
        f"argv, where = [sys.executable, '-c', 'import time; time.sleep(60)'], Path({str(tmp_path)!r})\n"
        "with running(argv, name='x', directory=where) as c:\n"
        "    print(c.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True) as us:
        assert us.stdout is not None
        orphan = int(us.stdout.readline())
        assert is_alive(orphan)
        os.kill(us.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(orphan))


def test_an_early_end_is_reported_with_its_log(tmp_path: Path) -> None:
    with (
        running(python("import sys; sys.exit('no such model')"), name="bad", directory=tmp_path) as child,
        pytest.raises(StartupError, match=r"bad ended with status 1:\nno such model"),
    ):
        wait_until(lambda: False, child, seconds=20)


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with (
        running(python("import time; time.sleep(60)"), name="slow", directory=tmp_path) as child,
        pytest.raises(StartupError, match=r"slow was not ready within 0.1 s"),
    ):
        wait_until(lambda: False, child, seconds=0.1)


def test_a_program_that_is_not_there_is_a_startup_error(tmp_path: Path) -> None:
    with (
        pytest.raises(StartupError, match="cannot start ghost"),
        running([tmp_path / "ghost"], name="ghost", directory=tmp_path),
    ):
        pass
