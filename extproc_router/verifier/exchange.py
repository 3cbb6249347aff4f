"""The verifier's conversation about one attempt of a cascade: events in, commands out.

| attempt                         | its answer                                                                       |
|---------------------------------|----------------------------------------------------------------------------------|
| the first, whole                | is held, judged, stripped                                                        |
| the first, server-sent events   | is held up to its first tokens and judged by them; then flows, stripped          |
| another model's                 | flows                                                                            |
| the first model's once more     | is what was kept of it, and the model is not asked; where nothing was: flows,    |
|                                 | stripped, unjudged                                                               |
| any, no 200, or no body         | flows unheard; a compressed one too, and a whole one that is too long to be held |
| the next, a refusal (300 up)    | gives way to the first model's once more, where that one's answer was doubted    |

What flows is listened to up to its end, for what it cost; a very long one (`bodies.MAX_STREAM_BYTES`) is left.

A doubted answer's headers say `x-cascade-escalate: 1`, and all of it follows as if it were accepted: where Envoy makes
the next attempt it drops the answer, and where its retry budget is spent the client gets it. It is kept for the case
that the next model fails. A stream that was doubted before its end is not: only its beginning is known.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from extproc_router.answers.apis import APIS
from extproc_router.attempts import Heard, Verdict
from extproc_router.errors import LocalProtocolError, RemoteProtocolError
from extproc_router.extproc.commands import Continue, Phase
from extproc_router.extproc.events import (
    RequestBody,
    RequestTrailers,
    ResponseBody,
    ResponseTrailers,
    Unknown,
)
from extproc_router.extproc.verifying import ESCALATE, Answered, Attempted, Head, Said, Serve, Unasked
from extproc_router.types import Reply
from extproc_router.verifier.assessing import Weigh, Weighed
from extproc_router.verifier.bodies import PASS, Flow, Whole
from extproc_router.verifier.judged import Judged, Outcome, Paid, paid
from extproc_router.verifier.keeping import MAX_ANSWER_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.extproc.verifying import Event
    from extproc_router.verifier.keeping import Keeper

_OK, _REFUSED = 200, 300
_LENGTH, _TYPE = "content-length", "content-type"


class Leave(Struct, frozen=True):
    """End the conversation: Envoy lets everything that is still to come pass."""


Command: TypeAlias = Said | Weigh | Leave


class State(Enum):
    """How far the conversation has come."""

    IDLE = auto()  # nothing seen
    ASKED = auto()  # the attempt is known
    HOLDING = auto()  # the answer is held, headers and all
    WEIGHING = auto()  # `Weigh` is out; `weighed` must come next
    FLOWING = auto()  # each chunk is answered as it comes
    ENDED = auto()  # all of it was answered
    LEFT = auto()  # we have left, or served the answer ourselves


class Exchange:
    """The conversation about one attempt.

    Args:
        keeper: knows the attempts before, and keeps what the next need.
        may_hold: whether so many bytes of this answer may be held.
    """

    def __init__(self, keeper: Keeper, may_hold: Callable[[int], bool]) -> None:
        self._keeper = keeper
        self._may_hold = may_hold
        self._state = State.IDLE
        self._attempt: Attempted | None = None
        self._answer: Answered | None = None
        self._body: Whole | Flow | None = None
        self._verdict = Outcome.UNJUDGED
        self._found = Verdict(0.0, accepted=True)
        self._passes = False  # headers and chunks are answered as they come
        self._ended = False
        self._trailers = False
        self._told: list[Judged] = []

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be said: the stream may end."""
        return self._state is State.LEFT

    def receive(self, event: Event) -> list[Command]:
        """Take one message from Envoy.

        Returns:
            The commands to carry out, in order; `Weigh` and `Leave` come last.

        Raises:
            RemoteProtocolError: the message may not come here.
            LocalProtocolError: `weighed` is owed first.
        """
        if self._state is State.WEIGHING:
            raise LocalProtocolError("a verdict was asked for; weighed() must come before the next message")
        if self._state is State.LEFT:
            return []
        match event:
            case Answered():
                return self._on_answer(event)
            case ResponseBody():
                return self._on_body(event)
            case ResponseTrailers():
                return self._on_trailers()
            case _:
                return self._on_request(event)

    def weighed(self, weighed: Weighed) -> list[Command]:
        """Take what `Weigh` asked for.

        Raises:
            LocalProtocolError: nothing was asked.
        """
        if self._state is not State.WEIGHING or self._body is None:
            raise LocalProtocolError("no verdict was asked for")
        chunks, passing = self._body.release(weighed)
        if self._passes:
            return self._end()
        if weighed.verdict or weighed.failure:
            self._found = weighed.verdict or self._found
            accepted = Outcome.ACCEPTED if weighed.verdict else Outcome.FAILED
            self._verdict = accepted if self._found.accepted else Outcome.DOUBTED
        if self._verdict is Outcome.DOUBTED:
            self._keep(passing)
        length = len(passing) if isinstance(self._body, Whole) and any(chunk is not PASS for chunk in chunks) else None
        return [self._head(length), *chunks, *self._go_on()]

    def closed(self) -> tuple[Judged, ...]:
        """The conversation is over, however it ended; returns the cascades of which all is known by now."""
        attempt, self._attempt = self._attempt, None
        if attempt is None or self._verdict is Outcome.DOUBTED:
            return tuple(self._told)  # a doubted answer's cascade goes on without us
        if self._answer is None:
            self._keeper.rest(attempt.asked.decision_id)
        elif attempt.number > 1:
            self._told.append(self._after(attempt))
        elif self._state in (State.HOLDING, State.WEIGHING):
            # Cut off before the client had any of it: too slow, so there is another attempt; or the client has left.
            self._told += self._keeper.keep(self._judged(attempt))
        else:
            self._told.append(self._judged(attempt))
        return tuple(self._told)

    def _on_request(self, event: Attempted | Unasked | RequestBody | RequestTrailers | Unknown) -> list[Command]:
        match event:
            case Attempted():
                return self._on_attempt(event)
            case Unasked():
                return self._leave()
            case RequestBody():
                return [Continue(Phase.REQUEST_BODY)]
            case RequestTrailers():
                return [Continue(Phase.REQUEST_TRAILERS)]
            case Unknown():
                return []

    def _on_attempt(self, event: Attempted) -> list[Command]:
        if self._state is not State.IDLE:
            raise RemoteProtocolError("request headers came twice")
        if event.asked.api not in APIS:
            return self._leave()
        self._attempt, self._state = event, State.ASKED
        if event.number > 1:
            self._keeper.begin(event.asked.decision_id)
            reply = self._keeper.reply(event.asked.decision_id) if _returns(event) else None
            if reply:
                return self._serve(event, reply)
        return [Continue(Phase.REQUEST_HEADERS)]

    def _has_answered(self, attempt: Attempted) -> bool:
        """Whether the first model has taken this request, and would be next: then it is no bad request."""
        follows = _returns(replace(attempt, number=attempt.number + 1))
        return attempt.number > 1 and follows and self._keeper.doubts(attempt.asked.decision_id)

    def _serve(self, event: Attempted, reply: Reply) -> list[Command]:
        """Serve what was kept; that takes nothing of anybody."""
        self._attempt, self._state = None, State.LEFT
        judged = self._keeper.take(event.asked.decision_id)
        if judged:
            self._told.append(replace(judged, verdict=Outcome.KEPT))
        return [Serve(reply)]

    def _on_answer(self, event: Answered) -> list[Command]:
        attempt = self._attempt
        if attempt is None:
            return self._leave()  # Envoy shows no requests: nothing tells what this answers
        if self._state is not State.ASKED:
            raise RemoteProtocolError("response headers came twice")
        if event.status != _OK or event.end_of_stream:
            refused = event.status >= _REFUSED and self._has_answered(attempt)
            return [Head(((ESCALATE, "1"),)) if refused else Continue(Phase.RESPONSE_HEADERS), *self._leave()]
        self._answer = event
        self._keeper.reply(attempt.asked.decision_id)  # this attempt has an answer: no other will follow
        if event.compressed:
            return [Continue(Phase.RESPONSE_HEADERS), *self._leave()]
        self._body = Flow(attempt.asked) if event.is_stream else Whole(attempt.asked)
        if attempt.number == 1 or (_returns(attempt) and attempt.asked.strips_logprobs and not event.is_stream):
            self._state = State.HOLDING
            return []
        self._state, self._passes = State.FLOWING, True
        return [self._head()]

    def _on_body(self, event: ResponseBody) -> list[Command]:
        body, ended = self._body, event.end_of_stream
        if body is None or self._state not in (State.HOLDING, State.FLOWING):
            raise RemoteProtocolError("a response body came before its headers, or after its end")
        self._ended = ended
        if isinstance(body, Flow) and self._state is State.FLOWING:
            chunk, leaves = body.pass_on(event.data, end=ended, may_hold=self._may_hold)
            self._state = State.ENDED if ended else State.FLOWING
            return [chunk, *(self._leave() if leaves and not ended else [])]
        ready = body.hear(event.data, end=ended)
        owed: list[Command] = [PASS] if self._passes else []
        if body.size > MAX_ANSWER_BYTES or not self._may_hold(body.size):
            return [*owed, *self._give_up(body)]
        return [*owed, *(self._weigh(body) if ready else [])]

    def _on_trailers(self) -> list[Command]:
        body = self._body
        if body is None or self._state not in (State.HOLDING, State.FLOWING):
            raise RemoteProtocolError("response trailers came before the response's headers, or after its end")
        self._ended = self._trailers = True
        if isinstance(body, Whole) or self._state is State.HOLDING:
            return self._weigh(body)
        return self._end()

    def _weigh(self, body: Whole | Flow) -> list[Command]:
        self._state = State.WEIGHING
        judged = self._attempt is not None and self._attempt.number == 1
        return [body.weigh(judged=judged, ended=self._ended)]

    def _give_up(self, body: Whole | Flow) -> list[Command]:
        """Hold no more: what is held goes on, unjudged."""
        chunks, _ = body.release(None)
        if self._passes:
            return self._leave()
        return [self._head(), *chunks, *self._go_on()]

    def _go_on(self) -> list[Command]:
        """Say what follows on what was held."""
        if self._ended:
            return self._end()
        if isinstance(self._body, Whole):
            return self._leave()
        self._state = State.FLOWING
        return []

    def _end(self) -> list[Command]:
        self._state = State.ENDED
        return [Continue(Phase.RESPONSE_TRAILERS)] if self._trailers else []

    def _leave(self) -> list[Command]:
        self._state = State.LEFT
        return [Leave()]

    def _head(self, length: int | None = None) -> Said:
        """Answer the headers; `length` is the body's where it is another than before."""
        changed = [(ESCALATE, "1")] if self._verdict is Outcome.DOUBTED else []
        if length is not None:
            changed.append((_LENGTH, str(length)))
        sized = self._answer is not None and self._answer.sized
        gone = (_LENGTH,) if sized and isinstance(self._body, Flow) and self._body.strips else ()
        return Head(tuple(changed), gone) if changed or gone else Continue(Phase.RESPONSE_HEADERS)

    def _keep(self, passing: bytes) -> None:
        """Keep a doubted answer, as the client would get it, unless there is more of it to come."""
        attempt, answer = self._attempt, self._answer
        if attempt is None or answer is None:  # pragma: no cover  # both came before any body
            raise LocalProtocolError("an answer was doubted that nobody gave")
        headers = ((_TYPE, answer.content_type),) if answer.content_type else ()
        # The last event tells a stream's end, however long HTTP's own is coming.
        ended = self._ended or (isinstance(self._body, Flow) and self._body.ended)
        reply = Reply(_OK, headers, passing) if ended else None
        self._told += self._keeper.keep(self._judged(attempt), reply)

    def _judged(self, attempt: Attempted) -> Judged:
        """Tell a first attempt."""
        asked, found = attempt.asked, self._found
        judged = Judged(asked.decision_id, asked.rule, self._verdict, attempts=(self._cost(attempt),))
        if self._verdict in (Outcome.UNJUDGED, Outcome.FAILED):
            return judged
        return replace(judged, good=found.good, signs=found.signs, features=found.features)

    def _after(self, attempt: Attempted) -> Judged:
        """Tell a cascade that ended with a later attempt."""
        asked = attempt.asked
        before = self._keeper.take(asked.decision_id) or Judged(asked.decision_id, asked.rule)
        taken_over = Outcome.KEPT if _returns(attempt) else Outcome.ESCALATED
        return replace(
            before,
            verdict=taken_over if before.verdict is Outcome.DOUBTED else before.verdict,
            attempts=(*before.attempts, self._cost(attempt)),
        )

    def _cost(self, attempt: Attempted) -> Paid:
        heard = self._body.heard if self._body else Heard()
        return paid(attempt.asked, attempt.number, heard, attempt.request_bytes)


def _returns(attempt: Attempted) -> bool:
    """Whether a later attempt goes to the first model again."""
    models = attempt.asked.models
    return 1 < attempt.number <= len(models) and models[attempt.number - 1] == models[0]
