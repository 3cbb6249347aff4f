"""Answers that come as server-sent events, read and stripped while they flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extproc_router.answers.api import attempt
from extproc_router.answers.apis import APIS
from extproc_router.answers.frames import BLANK_LINE, BOM, data_of, data_spans, with_data
from extproc_router.answers.gathered import Gathered
from extproc_router.answers.splice import splice
from extproc_router.json_views import locate

if TYPE_CHECKING:
    from extproc_router.attempts import Heard

MAX_EVENT: Final = 1 << 20
"""Bytes of one event, without the blank line that ends it."""

_LINE_END = len(b"\r\n")  # of a blank line, as much may have come without its being found
_CR, _LF = b"\r\n"
_DONE = b"[DONE]"


class Stream:
    r"""One answer of server-sent events.

    However its bytes are split, the output is the same, and so is what is heard. Events that nothing is stripped from
    pass byte for byte; so do comments, and `"usage": null`, which servers write into every event where usage was asked
    for: clients take it for an absent member.

    Args:
        api: name of a dialect.
        strips_logprobs: whether log-probabilities go, those of all choices.
        strips_usage: whether the event goes that tells the usage at the end (`"choices": []`). Other APIs than chat
            completions and completions tell it unasked, and keep it.

    Attributes:
        ended: whether nothing more is to be expected: the answer's last event was heard, or its bytes ended.
        gave_up: whether an event was longer than `MAX_EVENT`, or `give_up` was called. From it on, all passes unread
            and unstripped; what was heard so far stays.

    Raises:
        KeyError: no dialect has that name.
    """

    def __init__(self, api: str, *, strips_logprobs: bool, strips_usage: bool) -> None:
        self.ended = False
        self.gave_up = False
        self._api = APIS[api]
        self._strips_logprobs = strips_logprobs
        self._strips_usage = strips_usage
        self._gathered = Gathered()
        self._first = True
        self._held = bytearray()  # of an event that has not ended; at most MAX_EVENT and a line's end
        self._searched = 0  # bytes of it in which no blank line begins
        # Where bytes end in CR, and with them an event, an LF may follow that belongs to it: what then passes.
        self._late: bytes | None = None

    @property
    def heard(self) -> Heard:
        """What was heard so far; built anew each time."""
        return self._gathered.heard(streamed=True)

    @property
    def held(self) -> int:
        """Bytes of an event that has not ended."""
        return len(self._held)

    def give_up(self) -> bytes:
        """Hold no more; returns what was held."""
        rest = bytes(self._held)
        self._held.clear()
        self.gave_up = True
        return rest

    def feed(self, data: bytes, *, end: bool = False) -> bytes:
        """The next bytes of the answer.

        Args:
            data: any number of bytes, not compressed.
            end: whether they are the last.

        Returns:
            What may go to the client now: whole events, and at the end the rest.
        """
        self.ended |= end
        if self.gave_up:
            return data
        held = self._held
        held += data
        passing: list[bytes] = []
        position = self._take_late(passing)
        searched = max(position, self._searched)
        while (blank := BLANK_LINE.search(held, searched)) and blank.start() - position <= MAX_EVENT:
            passed = self._event(bytes(held[position : blank.end()]))
            passing.append(passed)
            position = searched = blank.end()
            if position == len(held) and held[-1] == _CR:
                self._late = b"\n" if passed else b""
        del held[:position]
        self._searched = max(0, len(held) - _LINE_END)
        if blank is not None or len(held) > MAX_EVENT + _LINE_END:
            passing.append(self.give_up())
        elif end:
            rest = bytes(held)
            held.clear()
            passing.append(self._event(rest, unfinished=True))
        return b"".join(passing)

    def _take_late(self, passing: list[bytes]) -> int:
        if self._late is None or not self._held:
            return 0
        late, self._late = self._late, None
        if self._held[0] != _LF:
            return 0
        passing.append(late)
        return 1

    def _event(self, event: bytes, *, unfinished: bool = False) -> bytes:
        """Hear an event, and return what passes of it."""
        start = len(BOM) if self._first and event.startswith(BOM) else 0
        self._first = False
        spans = data_spans(event, start)
        data = data_of(event, spans)
        if data.strip() == _DONE:
            self._gathered.complete = self.ended = True
            return event
        if not data.strip():
            return event
        found = attempt(self._api.event, data, self._gathered)
        if found is None:
            # What was cut off within an event is an answer all the same, up to there.
            self._gathered.broken |= not unfinished
            return event
        version, said = found
        self.ended |= said.last
        self._gathered.complete |= said.last and not self._gathered.broken
        if self._strips_usage and said.usage:
            return b""
        if self._strips_logprobs and said.logprobs:
            stripped = splice(data, [locate(version, view) for view in said.logprobs], self._api.stripped)
            return with_data(event, spans, stripped)
        return event
