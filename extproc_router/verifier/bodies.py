"""Answers while they pass: held whole until they have ended, or stripped and listened to chunk by chunk.

Each chunk that Envoy sends gets one answer; `chunks` are those that are owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from extproc_router import answers
from extproc_router.answers import Stream
from extproc_router.attempts import Heard
from extproc_router.extproc.commands import Continue, Phase, ReplaceChunk
from extproc_router.verifier.assessing import Weigh, Weighed

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.attempts import Verification

Chunk: TypeAlias = Continue | ReplaceChunk

PASS = Continue(Phase.RESPONSE_BODY)

MAX_STREAM_BYTES: Final = 8 << 20
"""Of one stream, as the client gets it, that pass through here; what follows goes on unheard, as it comes.

Envoy 1.40 crashes where a client's connection is too full (`per_connection_buffer_limit_bytes` of the listener, the
window of HTTP/2) at a time at which the model has ended its answer, and we have not: we must be gone long before.
"""

_SMALL_EVENT: Final = 65_536  # what most chunks leave over, at the most


class Whole:
    """An answer that says nothing before its end.

    Args:
        asked: what the router said of the request.

    Attributes:
        size: bytes held.
    """

    def __init__(self, asked: Verification) -> None:
        self.size = 0
        self._asked = asked
        self._chunks: list[bytes] = []
        self._heard = Heard()

    @property
    def heard(self) -> Heard:
        """What it says: as it was weighed, or as far as it has come where that was cut short.

        A client that has all of a passing answer may be gone, and Envoy with it, before we have read it.
        """
        return answers.read(self._asked.api, b"".join(self._chunks)) if self._chunks else self._heard

    def hear(self, data: bytes, *, end: bool) -> bool:
        """Take a chunk; returns whether enough was heard to be weighed."""
        self._chunks.append(data)
        self.size += len(data)
        return end

    def weigh(self, *, judged: bool, ended: bool) -> Weigh:  # noqa: ARG002 - as `Flow` has it
        """Return what is to be weighed."""
        return Weigh(self._asked, b"".join(self._chunks), judged=judged)

    def release(self, weighed: Weighed | None) -> tuple[list[Chunk], bytes]:
        """Let the chunks go.

        Args:
            weighed: None where the answer goes on as it came.

        Returns:
            Answers to the chunks, and what they make of the body.
        """
        chunks, self._chunks, self.size = self._chunks, [], 0
        whole = b"".join(chunks)
        self._heard = weighed.heard if weighed else Heard()
        body = whole if weighed is None or weighed.body is None else weighed.body
        if body == whole:
            return [PASS] * len(chunks), whole
        return [*(ReplaceChunk(Phase.RESPONSE_BODY, b"") for _ in chunks[1:]), _replaced(body)], body


class Flow:
    """An answer of server-sent events.

    Args:
        asked: what the router said of the request.

    Attributes:
        size: bytes held.
        strips: whether any of it may be kept from the client.
    """

    def __init__(self, asked: Verification) -> None:
        self.size = 0
        self.strips = asked.strips_logprobs or asked.strips_usage
        self._asked = asked
        self._stream = Stream(asked.api, strips_logprobs=asked.strips_logprobs, strips_usage=asked.strips_usage)
        self._passed = 0
        self._chunks: list[Chunk] = []
        self._passing: list[bytes] = []

    @property
    def heard(self) -> Heard:
        """What was heard so far."""
        return self._stream.heard

    @property
    def ended(self) -> bool:
        """Whether nothing more of it is to be expected."""
        return self._stream.ended

    def hear(self, data: bytes, *, end: bool) -> bool:
        """Take a chunk to be held; returns whether enough was heard to be judged."""
        chunk, passing = self._take(data, end=end)
        self.size += len(data)
        self._chunks.append(chunk)
        self._passing.append(passing)
        heard = self._stream.heard
        enough = max(len(heard.tokens), heard.pieces) >= self._asked.first_tokens
        return enough or self._stream.ended

    def weigh(self, *, judged: bool, ended: bool) -> Weigh:
        """Return what is to be judged."""
        return Weigh(self._asked, None, self._stream.heard, judged, partial=not (ended or self._stream.ended))

    def release(self, _: Weighed | None) -> tuple[list[Chunk], bytes]:
        """Let the chunks go; as in `Whole.release`, for that part of the body."""
        chunks, passing = self._chunks, self._passing
        self._chunks, self._passing, self.size = [], [], 0
        return chunks, b"".join(passing)

    def pass_on(self, data: bytes, *, end: bool, may_hold: Callable[[int], bool]) -> tuple[Chunk, bool]:
        """Take a chunk that is not held.

        Args:
            data: the chunk.
            end: whether it is the last.
            may_hold: whether so many bytes of an event that has not ended may be held.

        Returns:
            The answer to it, and whether there is no staying for what follows: nothing of it is left here then.
        """
        passing = self._feed(data, end=end)
        leaves = self._passed > MAX_STREAM_BYTES
        if leaves or (self._stream.held > _SMALL_EVENT and not may_hold(self._stream.held)):
            passing += self._stream.give_up()
        return self._answer(data, passing)[0], leaves

    def _take(self, data: bytes, *, end: bool) -> tuple[Chunk, bytes]:
        return self._answer(data, self._feed(data, end=end))

    def _feed(self, data: bytes, *, end: bool) -> bytes:
        passing = self._stream.feed(data, end=end)
        self._passed += len(passing)
        return passing

    def _answer(self, data: bytes, passing: bytes) -> tuple[Chunk, bytes]:
        # Where nothing is stripped, chunks need not end where events do.
        if not self.strips:
            return PASS, data
        return (PASS if passing == data else _replaced(passing)), passing


def _replaced(data: bytes) -> ReplaceChunk:
    return ReplaceChunk(Phase.RESPONSE_BODY, data)
