"""The rooms in order: dialect reads, signals are read, policy chooses, dialect patches.

Synchronous and pure: the same config, request and encoding give the same answer. Ids and encodings come from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from extproc_router import dialects
from extproc_router.dialects import Dialect, models_list
from extproc_router.errors import BodyTooLarge, ClientError, NoEligibleModel, ShedError, UnreadableBody
from extproc_router.policy import privacy
from extproc_router.signals import domain, prompt
from extproc_router.types import Answer, Decision, HttpRequest, Mutation, Reason, Reply, Request, Signal

if TYPE_CHECKING:
    from extproc_router.policy.engine import Choice, Policy
    from extproc_router.types import Encoding

# Envoy's routes choose by it; clients cannot set it (envoy.yaml strips it before the route is resolved).
CLUSTER_HEADER = "x-selected-cluster"
# Joins an upstream's log with ours.
DECISION_HEADER = "x-llm-decision"

# No body that could be read has a length of more digits.
_MAX_LENGTH_DIGITS = 18

# A client may write anything there, and decisions are kept.
_MAX_LOGGED_NAME = 128

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
    """A request that was read and waits for its encoding.

    Attributes:
        text: what the encoder shall read.
    """

    text: str
    decision: Decision
    dialect: Dialect
    request: Request
    body: bytes
    was_encoded: bool
    tier: int


class Router:
    """Decides requests under one config.

    Args:
        policy: what the config says.
        config_version: content hash of the config.
        encoder_version: content hash of the encoder artefact.
        max_body_bytes: longer bodies are refused with 413; bodies that decompress to more are not read.
        created: seconds since the epoch that /v1/models shows.

    Attributes:
        signals: names of the encoder's heads that decisions need; no other has to be asked.
    """

    def __init__(
        self, policy: Policy, *, config_version: str, encoder_version: str, max_body_bytes: int, created: int
    ) -> None:
        self._policy = policy
        self._names = tuple(policy.candidates)
        self._created = created
        self._max_body_bytes = max_body_bytes
        self.signals = frozenset({domain.NAME}) if policy.needs_domain else frozenset()
        self._blank = replace(_UNDECIDED, config_version=config_version, encoder_version=encoder_version)

    @property
    def max_body_bytes(self) -> int:
        """Longest body that is read."""
        return self._max_body_bytes

    def wants_body(self, http: HttpRequest) -> bool:
        """Whether the body of a request with these headers is worth gathering."""
        return (
            http.method == "POST"
            and dialects.find(_route(http.path)) is not None
            and not _is_multipart(http)
            and declared_length(http) <= self._max_body_bytes
        )

    def read(self, http: HttpRequest, decision_id: str) -> Answer | Plan:
        """Read a request; decide it where that takes no encoder.

        Returns:
            An answer, or a plan whose `text` is to be encoded and handed to `decide`.
        """
        tier, decision = self._begin(http, decision_id)
        route = _route(http.path)
        if http.method == "GET" and route.startswith(models_list.PATH):
            return self._list_models(route, decision, tier)
        dialect = dialects.find(route) if http.method == "POST" else None
        if dialect is None:
            return self._pass(decision, "not a path that is routed", tier)
        decision = replace(decision, api=dialect.name)
        try:
            return self._read_body(http, decision, dialect, tier)
        except UnreadableBody as error:
            return self._pass(decision, str(error), tier)
        except ClientError as error:
            return _refuse(decision, error, dialect.error(error.status, error))

    def shed(self, http: HttpRequest, decision_id: str, why: str) -> Answer:
        """Let a request go on unread, by Envoy's default route, because there is no room for its body."""
        tier, decision = self._begin(http, decision_id)
        return self._pass(replace(decision, reason=Reason.SHED), why, tier)

    def decide(self, plan: Plan, encoding: Encoding | ShedError) -> Answer:
        """Decide a planned request with what the encoder read, or with why it could not."""
        try:
            if isinstance(encoding, ShedError):
                why = f"the encoder was shed ({encoding.cause})"
                return self._send(plan, self._policy.fall_back(Reason.SHED, why, plan.tier), ())
            signal = domain.read(encoding)
            return self._send(plan, self._policy.by_domain(signal, plan.tier), (signal,))
        except ClientError as error:
            return _refuse(plan.decision, error, plan.dialect.error(error.status, error))

    def _begin(self, http: HttpRequest, decision_id: str) -> tuple[int, Decision]:
        tier = privacy.tier_of(http.headers.get(privacy.HEADER), self._policy.tiers)
        request_id = http.headers.get("x-request-id", "")[:_MAX_LOGGED_NAME]
        return tier, replace(self._blank, id=decision_id, request_id=request_id, privacy_tier=self._policy.tiers[tier])

    def _pass(self, decision: Decision, why: str, tier: int) -> Answer:
        """Leave a request that was not read to Envoy's default route; one above the lowest tier goes nowhere."""
        if tier:
            error = NoEligibleModel(
                f"This request is marked {self._policy.tiers[tier]!r} and cannot be read ({why}): it was sent nowhere."
            )
            return _refuse(decision, error, dialects.common_error(error.status, error))
        return Answer(replace(decision, why=why), Mutation())

    def _read_body(self, http: HttpRequest, decision: Decision, dialect: Dialect, tier: int) -> Answer | Plan:
        length = declared_length(http) if http.body is None else len(http.body)
        if length > self._max_body_bytes:
            raise BodyTooLarge(f"The request body is longer than {self._max_body_bytes} bytes.")
        if _is_multipart(http):
            return self._pass(decision, "a multipart body is not read", tier)
        if not http.body:
            return self._pass(decision, "no body", tier)
        encoding = http.headers.get("content-encoding", "").strip().lower()
        body = dialects.decode(http.body, encoding, self._max_body_bytes)
        request = dialect.read(body)
        decision = replace(decision, requested_model=request.model[:_MAX_LOGGED_NAME], stream=request.stream)
        plan = Plan("", decision, dialect, request, body, body is not http.body, tier)
        if not self._policy.is_auto(request.model):
            return self._send(plan, self._policy.named(request.model, tier), ())
        text = prompt.text_of(request) if self._policy.needs_domain else ""
        if not text:
            why = "nothing to read" if self._policy.needs_domain else "no rule reads the prompt"
            return self._send(plan, self._policy.fall_back(Reason.NO_TEXT, why, tier), ())
        return replace(plan, text=text)

    def _send(self, plan: Plan, choice: Choice, signals: tuple[Signal, ...]) -> Answer:
        candidate = choice.candidate
        decision = replace(
            plan.decision,
            model=candidate.name,
            cluster=candidate.cluster,
            reason=choice.reason,
            why=choice.why,
            signals=signals,
        )
        body = dialects.with_model(plan.body, plan.request, candidate.served_name)
        mutation = Mutation(
            set_headers=((CLUSTER_HEADER, candidate.cluster), (DECISION_HEADER, decision.id)),
            remove_headers=("content-encoding",) if plan.was_encoded else (),
            body=body if plan.was_encoded or body is not plan.body else None,
        )
        return Answer(decision, mutation)

    def _list_models(self, route: str, decision: Decision, tier: int) -> Answer:
        name = route.removeprefix(models_list.PATH)
        if name.strip("/") and not name.startswith("/"):
            return self._pass(decision, "not a path that is routed", tier)
        listed = replace(decision, reason=Reason.LISTED, why="answered from config", status=200)
        if name in ("", "/"):
            return Answer(listed, models_list.list_models(self._names, self._created))
        try:
            return Answer(listed, models_list.get_model(name.removeprefix("/"), self._names, self._created))
        except ClientError as error:
            return _refuse(decision, error, dialects.common_error(error.status, error))


def _route(path: str) -> str:
    """Return the path as upstreams will read it: without query, percent-decoded."""
    bare = path.partition("?")[0]
    return unquote(bare) if "%" in bare else bare


def _is_multipart(http: HttpRequest) -> bool:
    return http.headers.get("content-type", "").lower().startswith("multipart/")


def declared_length(http: HttpRequest) -> int:
    """Return what `content-length` says, in bytes; 0 where it says nothing."""
    value = http.headers.get("content-length", "")
    # Envoy has already refused lengths that are no numbers.
    return int(value[:_MAX_LENGTH_DIGITS]) if value.isascii() and value.isdigit() else 0


def _refuse(decision: Decision, error: ClientError, reply: Reply) -> Answer:
    why = error.code or error.type  # the message quotes what the client wrote
    return Answer(replace(decision, reason=Reason.REFUSED, why=why, status=error.status), reply)
