"""One gRPC stream of either of our services: how it ends, whatever happens in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import grpc

from extproc_router.errors import RemoteProtocolError
from extproc_router.server.hardening import told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from extproc_router.server.observer import Observer

log = logging.getLogger(__name__)


async def answer(
    converse: Callable[[grpc.aio.ServicerContext], Awaitable[None]],
    context: grpc.aio.ServicerContext,
    observer: Observer,
    *,
    of: str,
) -> None:
    """Hold a conversation to its end.

    Args:
        converse: holds it.
        context: of the stream.
        observer: told that it is open, that it is over, and what went wrong.
        of: whose stream it is, for the log.
    """
    observer.stream_opened()
    try:
        await converse(context)
    except RemoteProtocolError as error:
        observer.failed("protocol_error")
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not take the process down
        # Its message may quote a prompt or an answer: say what and where, not what it said.
        observer.failed("internal_error")
        log.error("a stream of the %s failed: %s", of, told(error))  # noqa: TRY400 - see above
        await context.abort(grpc.StatusCode.INTERNAL, "internal error")
    finally:
        observer.stream_closed()
