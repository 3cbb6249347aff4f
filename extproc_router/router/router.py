"""One request, from its head to its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from extproc_router import dialects
from extproc_router.dialects import models_list
from extproc_router.errors import (
    BodyTooLarge,
    ClientError,
    EncoderFailed,
    InvalidRequest,
    ModelFailed,
    ModelNotCleared,
    UnreadableBody,
)
from extproc_router.policy import guarding, keys, privacy
from extproc_router.policy.base import Situation
from extproc_router.policy.engine import Policy
from extproc_router.router import compose, paths
from extproc_router.router.compose import Opened
from extproc_router.router.kept import identifier
from extproc_router.router.passing import Passing
from extproc_router.router.readings import Readings
from extproc_router.signals.base import Answers, Cost, Reader, Subject
from extproc_router.signals.pii import Pii
from extproc_router.types import Answer, Ask, Decision, HttpRequest, Question, Reason

if TYPE_CHECKING:
    from extproc_router.dialects import Dialect
    from extproc_router.policy.engine import Choice
    from extproc_router.policy.guarding import Guarded
    from extproc_router.policy.stickiness import Held
    from extproc_router.types import Request

# Turns that only a model can have written. Many conversations begin alike: their beginning alone tells nothing.
_MODELS_ROLE = "assistant"

# The signal by which requests are measured against models' windows.
CONTEXT = "context"

_UNDECIDED = Decision(
    id="",
    request_id="",
    config_version="",
    encoder_version="",
    api="",
    requested_model="",
    model="",
    cluster="",
    reason=Reason.PASSED,
    why="",
    privacy_tier="",
    stream=False,
    signals=(),
    status=0,
)


class Plan(Struct, frozen=True):
    """A request that was read and waits for answers.

    Attributes:
        asks: texts that the encoder shall read, each once.
        questions: what language models shall be asked.
        opened: the request.
    """

    asks: tuple[Ask, ...]
    questions: tuple[Question, ...]
    opened: Opened


class Terms(Struct, frozen=True):
    """What a router decides by.

    Attributes:
        policy: what the config says.
        readers: the signals, by name; `context` is one of them.
        redactors: those of kind `pii`.
        matchers: signals that ask a language model -> rank of the highest tier that it may see.
        unrouted: whether requests that are none of the APIs' `pass`, or are refused (`refuse`) if they may have a body;
            None: refused where safety rules are in force.
        counters: model name -> counts the tokens of a text as this model does.
        counts_tokens: whether the length of prompts matters to any model or strategy.
        sticky_by: what conversations are told apart by; None where each request stands for itself.
        config_version: content hash of the config.
        encoder_version: content hash of the encoder artefact.
        max_body_bytes: longer bodies are refused with 413; bodies that decompress to more are not read.
        created: seconds since the epoch that /v1/models shows.
    """

    policy: Policy
    readers: Mapping[str, Reader]
    redactors: Mapping[str, Pii]
    matchers: Mapping[str, int]
    unrouted: str | None
    counters: Mapping[str, Callable[[str], int]]
    counts_tokens: bool
    sticky_by: str | None
    config_version: str
    encoder_version: str
    max_body_bytes: int
    created: int


class Router:
    """Decides requests under one config.

    Args:
        terms: what it decides by.
        held: which model each conversation has.
    """

    def __init__(self, terms: Terms, held: Held) -> None:
        self.terms = terms
        self._policy = terms.policy
        self._held = held
        self._names = tuple(terms.policy.candidates)
        self._passing = Passing(terms.policy, terms.readers, terms.unrouted)
        # Whether a safety rule has to read the prompt itself.
        self._guards_text = any(
            terms.readers[name].cost >= Cost.TEXT
            for rule in terms.policy.safeguards
            if rule.holds_back
            for name in rule.applies.names
        )
        self._blank = replace(_UNDECIDED, config_version=terms.config_version, encoder_version=terms.encoder_version)

    @property
    def max_body_bytes(self) -> int:
        """Longest body that is read."""
        return self.terms.max_body_bytes

    def wants_body(self, http: HttpRequest) -> bool:
        """Whether the body of a request with these headers is worth gathering."""
        return (
            http.method == "POST"
            and dialects.find(paths.route(http.path)) is not None
            and not paths.is_multipart(http)
            and paths.declared_length(http) <= self.max_body_bytes
        )

    def read(self, http: HttpRequest, decision_id: str) -> Answer | Plan:
        """Read a request; decide it where that takes no encoder.

        Returns:
            An answer, or a plan whose asks and questions are to be answered and handed to `decide`.
        """
        opened = self.open(http, decision_id)
        return opened if isinstance(opened, Answer) else self.advance(opened)

    def open(self, http: HttpRequest, decision_id: str) -> Answer | Opened:
        """Read a request; answer it where it is not one that rules decide."""
        tier, decision = self._begin(http, decision_id)
        route = paths.route(http.path)
        if http.method == "GET" and route.startswith(models_list.PATH):
            return self._list_models(http, route, decision, tier)
        dialect = dialects.find(route) if http.method == "POST" else None
        if dialect is None:
            return self._passing.other_path(http, decision, tier)
        decision = replace(decision, api=dialect.name)
        try:
            return self._read_body(http, decision, dialect, tier)
        except UnreadableBody as error:
            return self._passing.unread(http, decision, str(error), tier, dialect.error)
        except ClientError as error:
            return compose.refuse(decision, error, dialect.error(error.status, error))

    def advance(self, opened: Opened) -> Answer | Plan:
        """Go as far as the answers at hand allow."""
        policy, readings = self._policy, opened.readings
        guarded = guarding.guard(policy.safeguards, opened.tier, readings.read)
        if guarded.tier != opened.tier:
            opened = replace(opened, decision=replace(opened.decision, privacy_tier=policy.tiers[guarded.tier]))
        if guarded.stop or guarded.unchecked:
            return compose.stop(opened, guarded, self.terms.created)
        try:
            return self._advance(opened, guarded)
        except ClientError as error:
            told = replace(opened.decision, signals=readings.evidence(), safety=guarded.applied, shadow=guarded.shadow)
            return compose.refuse(told, error, opened.dialect.error(error.status, error))

    def shed(self, http: HttpRequest, decision_id: str, why: str) -> Answer:
        """Let a request go on unread, by Envoy's default route, because there is no room for its body."""
        tier, decision = self._begin(http, decision_id)
        return self._passing.no_room(http, decision, why, tier)

    def decide(self, plan: Plan, answers: Answers) -> Answer | Plan:
        """Decide a planned request with the answers to its asks and questions, or with why there are none.

        What is missing in them counts as failed.

        Returns:
            An answer, or another plan: what a language model may be asked is known only when the encoder has answered.
        """
        unread, unsaid = EncoderFailed("no answer"), ModelFailed("no answer")
        encodings = {ask.text: answers.encodings.get(ask.text, unread) for ask in plan.asks}
        said = {question.signal: answers.said.get(question.signal, unsaid) for question in plan.questions}
        plan.opened.readings.take(Answers(encodings, said))
        return self.advance(plan.opened)

    def _begin(self, http: HttpRequest, decision_id: str) -> tuple[int, Decision]:
        tier = privacy.tier_of(http.headers.get(privacy.HEADER), self._policy.tiers)
        request_id = identifier(http.headers.get("x-request-id", ""))
        return tier, replace(self._blank, id=decision_id, request_id=request_id, privacy_tier=self._policy.tiers[tier])

    def _asked_for(self, model: str) -> str:
        """Return the model's name that a client wrote, as decisions keep it."""
        return model if model in self._policy.candidates or self._policy.is_auto(model) else identifier(model)

    def _read_body(self, http: HttpRequest, decision: Decision, dialect: Dialect, tier: int) -> Answer | Opened:
        length = paths.declared_length(http) if http.body is None else len(http.body)
        if length > self.max_body_bytes:
            raise BodyTooLarge(f"The request body is longer than {self.max_body_bytes} bytes.")
        if paths.is_multipart(http):
            return self._passing.unread(http, decision, "a multipart body is not read", tier, dialect.error)
        if not http.body:
            if self._passing.guards:
                raise InvalidRequest("The request has no body.")
            return self._passing.by_headers(http, decision, "no body", tier, dialect.error)
        encoding = http.headers.get("content-encoding", "").strip().lower()
        body = dialects.decode(http.body, encoding, self.max_body_bytes)
        request = dialect.read(body)
        decision = replace(decision, requested_model=self._asked_for(request.model), stream=request.stream)
        unread = (request.unread or dialects.ambiguity(body)) if self._guards_text else ""
        if unread:
            return self._passing.unread(http, decision, f"its prompt is {unread}", tier, dialect.error)
        readings = Readings(self.terms.readers, Subject(http.headers, request))
        return Opened(decision, dialect, request, body, body is not http.body, tier, readings)

    def _advance(self, opened: Opened, guarded: Guarded) -> Answer | Plan:
        """Go on with a request that no safety rule stops.

        Raises:
            ClientError: the client is to be told.
        """
        policy, readings, request = self._policy, opened.readings, opened.request
        conversation: str | None = None
        choice: Choice | frozenset[str]
        if policy.is_auto(request.model):
            situation = self.situation(opened)
            conversation = situation.key(self.terms.sticky_by) if self.terms.sticky_by else None
            choice = policy.choose(guarded.tier, situation, self._previous(conversation, request))
        else:
            choice = policy.named(request.model, guarded.tier)
        waiting = guarded.pending | (choice if isinstance(choice, frozenset) else frozenset())
        if waiting:
            return self._plan(opened, guarded, waiting)
        assert not isinstance(choice, frozenset)  # noqa: S101 - nothing is waited for
        if choice.reason is Reason.LOW_CONFIDENCE and not readings.subject.prompt:
            choice = replace(choice, reason=Reason.NO_TEXT)
        # The default that stands in for a rule is not where the conversation is.
        if conversation and choice.reason is not Reason.SHED:
            self._held.put(conversation, choice.chain[0].name)
        return compose.send(opened, choice, guarded, self.terms.redactors, policy.fallback)

    def _previous(self, conversation: str | None, request: Request) -> str | None:
        """Return the model that a conversation had; None where it had none, or is told by a beginning and begins."""
        if not conversation:
            return None
        begins = self.terms.sticky_by == keys.CONVERSATION and all(turn.role != _MODELS_ROLE for turn in request.turns)
        return None if begins else self._held.get(conversation)

    def _plan(self, opened: Opened, guarded: Guarded, waiting: frozenset[str]) -> Answer | Plan:
        """Ask the encoder now, and language models only once it is settled how private the request is."""
        readings = opened.readings
        asks, questions = readings.asks(waiting)
        if asks and guarded.pending:
            return Plan(asks, (), opened)
        barred = {
            question.signal: ModelNotCleared("the request is more private than the model that would be asked")
            for question in questions
            # What a safety rule waits for is never asked: until it is known, anything may be private. Nor is anybody
            # told what is to be replaced before a model sees it.
            if guarded.pending or guarded.redact or self.terms.matchers.get(question.signal, -1) < guarded.tier
        }
        readings.take(Answers(said=barred))
        questions = tuple(question for question in questions if question.signal not in barred)
        return Plan(asks, questions, opened) if asks or questions else self.advance(opened)

    def situation(self, opened: Opened) -> Situation:
        """Return a request as filters and strategies see it."""
        request, headers = opened.request, opened.readings.subject.headers
        tokens = opened.readings.read(CONTEXT).number if self.terms.counts_tokens else 0
        return Situation(
            api=request.api,
            tokens=round(tokens or 0),
            max_tokens=request.max_tokens,
            modalities=request.modalities,
            tools=request.tools,
            signal=opened.readings.read,
            key=lambda by: keys.key_of(by, headers, request, headers.get("x-request-id", "")),
            count=lambda name: opened.readings.count(self.terms.counters.get(name)),
        )

    def _list_models(self, http: HttpRequest, route: str, decision: Decision, tier: int) -> Answer:
        name = route.removeprefix(models_list.PATH)
        if name.strip("/") and not name.startswith("/"):
            return self._passing.other_path(http, decision, tier)
        listed = replace(decision, reason=Reason.LISTED, why="answered from config", status=200)
        if name in ("", "/"):
            return Answer(listed, models_list.list_models(self._names, self.terms.created))
        try:
            return Answer(listed, models_list.get_model(name.removeprefix("/"), self._names, self.terms.created))
        except ClientError as error:
            return compose.refuse(decision, error, dialects.common_error(error.status, error))
