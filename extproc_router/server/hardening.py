"""Nothing of a prompt leaves a process that fails: no core dump, and no exception's message in a log.

Messages of exceptions quote what they stumbled over, and representations of tasks and callbacks quote arguments. What
is unexpected is told by its type and by where it happened; our own errors about files and addresses say what they say.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import sys
import threading
import traceback
import warnings
from typing import TYPE_CHECKING, Any, TextIO

from extproc_router.errors import ArtefactError, ConfigError, StartupError

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

log = logging.getLogger(__name__)

_PR_SET_DUMPABLE = 4
# What these say is about the operator's files and addresses.
_OURS = (ArtefactError, ConfigError, StartupError)
_MOST_CAUSES = 8


def harden(*, core_dumps: bool = False) -> None:
    """Harden this process, for the rest of its life; children that it starts have to do so themselves.

    Args:
        core_dumps: whether the kernel may write the process's memory to disk where it crashes, prompts and all, and
            whether debuggers of the same user may look into it.
    """
    if not core_dumps:
        _no_core_dumps()
    # A failing log call would be told with its arguments.
    logging.raiseExceptions = False
    logging.setLogRecordFactory(_record)
    warnings.showwarning = _on_warning
    sys.excepthook = _on_exception
    threading.excepthook = _on_thread
    sys.unraisablehook = _on_unraisable


def quiet_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Have an event loop tell its failures likewise; its debug mode, which shows arguments, is turned off."""
    loop.set_debug(False)
    loop.set_exception_handler(_on_loop)


def told(error: BaseException | None) -> str:
    """Say what an exception is and where it happened, and that of its causes; lines without a newline at the end."""
    lines: list[str] = []
    while error is not None and len(lines) < _MOST_CAUSES:
        where = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__))).rstrip()
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        said = f": {error}" if isinstance(error, _OURS) else ""
        lines.append("\n".join(filter(None, [f"{'caused by ' * bool(lines)}{name}{said}", where])))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(lines)


def _no_core_dumps() -> None:
    """Forbid core dumps, and the look of others into this process.

    The limit alone does not bind a kernel that hands dumps to a program (core_pattern with a pipe).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        log.warning("core dumps cannot be forbidden: %s", os.strerror(ctypes.get_errno()))


def _record(*arguments: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging calls it
    record = logging.LogRecord(*arguments, **named)
    if record.exc_info:
        # Whatever is set here, formatters take over.
        record.exc_text = told(record.exc_info[1])
    return record


def _on_warning(  # noqa: PLR0917 - as warnings calls it
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    del message, file, line
    log.warning("%s from %s:%d", category.__qualname__, filename, lineno)


def _on_exception(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    log.critical("this process fails: %s", told(error))


def _on_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is not SystemExit:
        log.error("thread %s fails: %s", failed.thread.name if failed.thread else "(ended)", told(failed.exc_value))


def _on_unraisable(failed: sys.UnraisableHookArgs) -> None:
    log.error("a failure that nobody could be told: %s", told(failed.exc_value))


def _on_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Of `message` nothing: it may show a callback with its arguments.
    error = context.get("exception")
    log.error("the event loop: %s", told(error) if error else "something went wrong that is no exception")
