"""What the server tells whoever listens: metrics, logs, spans. It knows none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from extproc_router.types import Record
    from extproc_router.verifier.judged import Judged


class Observer(Protocol):
    """Receives what happens, on the event loop: it may not block or raise."""

    def stream_opened(self) -> None:
        """Envoy opened a stream."""

    def stream_closed(self) -> None:
        """The stream is over, however it ended."""

    def queue_changed(self, depth: int) -> None:
        """So many prompts wait for the encoder or run in it."""

    def decided(self, record: Record) -> None:
        """A request was decided."""

    def judged(self, judged: Judged, unix_time: float) -> None:
        """A cascade has come to its end, so many seconds after the epoch."""

    def failed(self, kind: str) -> None:
        """Something else happened.

        `unknown_message`, `protocol_error` or `internal_error`; `verifier_mode` where Envoy sends answers in a way in
        which they cannot be held, and `judge_failed` where judging one failed.
        """
