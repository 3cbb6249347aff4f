"""Every error this project raises on purpose, in one tree.

RouterError
├── ClientError              the client is told, in its API's own shape; knows HTTP status, type, code, param
│   ├── InvalidRequest       400  the body cannot be read as what the path promises
│   ├── NoCapableModel       400  no model that may serve this request can (images, tools, API)
│   ├── ModelNotFound        404  a model name that the config does not know
│   ├── BodyTooLarge         413  longer than the configured cap
│   ├── UncheckableBody      415  of a kind that is not read, where safety rules must read it
│   ├── BlockedByPolicy      403  a safety rule blocks it
│   ├── SafetyUnchecked      503  a safety rule could not be decided
│   ├── ModelNotAllowed      403  a named model that is not cleared for this request's privacy tier
│   └── NoEligibleModel      503  nothing is left that may serve this request
├── UnreadableBody           not the client's fault: the request goes on by the default route, unread
├── ProtocolError            the ext_proc conversation went wrong
│   ├── RemoteProtocolError  Envoy sent what its own protocol forbids
│   └── LocalProtocolError   we were about to
├── ShedError                what was asked could not answer in time; the default decides
│   ├── EncoderOverloaded    its queue is full
│   ├── EncoderTimeout       its deadline passed
│   ├── EncoderFailed        it raised
│   ├── ModelOverloaded      as many questions as may be wait for a model that judges
│   ├── ModelTimeout         its deadline passed
│   ├── ModelNotCleared      it may not see a request of this privacy tier
│   ├── ModelFailed          it could not be reached, or did not answer 200
│   ├── UnclearAnswer        it answered, but not what it was asked for
│   └── BodyUnread           its request was let pass unread: of its body nothing is known
├── ConfigError              the config file has mistakes; holds all of them
├── ArtefactError            the model directory is corrupt or does not fit
└── StartupError             an address is taken, a file is missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from extproc_router.types import Mistake


_SHOWN_NAME = 128


class RouterError(Exception):
    """Root of the tree."""


class ClientError(RouterError):
    """The client is told. `status` is HTTP's; `type`, `code` and `param` are those of OpenAI's error object."""

    status: ClassVar[int] = 400
    type: ClassVar[str] = "invalid_request_error"
    code: ClassVar[str | None] = None

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class InvalidRequest(ClientError):
    """The body cannot be read as what the path promises."""


class NoCapableModel(ClientError):
    """No model that may serve this request can: for its images or files, its tools, or its API."""

    code = "no_capable_model"


class ModelNotFound(ClientError):
    """A model name that the config does not know."""

    status = 404
    code = "model_not_found"

    def __init__(self, model: str) -> None:
        # A client may write megabytes there, and its answer has to fit into a message.
        shown = model if len(model) <= _SHOWN_NAME else f"{model[:_SHOWN_NAME]}..."
        super().__init__(f"The model '{shown}' does not exist.", param="model")


class BodyTooLarge(ClientError):
    """The body is longer than the configured cap."""

    status = 413
    code = "request_too_large"


class UncheckableBody(ClientError):
    """The body is of a kind that is not read, and safety rules must have read it before it goes on."""

    status = 415
    code = "unsupported_media_type"


class BlockedByPolicy(ClientError):
    """A safety rule blocks this request."""

    status = 403
    type = "permission_error"
    code = "blocked_by_policy"


class SafetyUnchecked(ClientError):
    """A safety rule could not be decided, because a signal that it needs is absent."""

    status = 503
    type = "api_error"
    code = "safety_check_unavailable"


class ModelNotAllowed(ClientError):
    """A named model that is not cleared for this request's privacy tier."""

    status = 403
    type = "permission_error"
    code = "model_not_allowed"


class NoEligibleModel(ClientError):
    """No model is left that may serve this request."""

    status = 503
    type = "api_error"
    code = "no_eligible_model"


class UnreadableBody(RouterError):
    """The body is of a kind we do not read (multipart, an unknown encoding): it goes on by the default route."""


class ProtocolError(RouterError):
    """The ext_proc conversation went wrong."""


class RemoteProtocolError(ProtocolError):
    """Envoy sent what its own protocol forbids."""


class LocalProtocolError(ProtocolError):
    """We were about to break the protocol: a defect of ours."""


class ShedError(RouterError):
    """What was asked could not answer in time; the declared default decides. `cause` is a metric label."""

    cause: ClassVar[str] = "failed"


class EncoderOverloaded(ShedError):
    """The encoder's queue is full."""

    cause = "overloaded"


class EncoderTimeout(ShedError):
    """The encoder's deadline passed."""

    cause = "timeout"


class EncoderFailed(ShedError):
    """The encoder raised."""


class ModelOverloaded(ShedError):
    """As many questions as may be are waiting for the judge."""

    cause = "judge_overloaded"


class ModelTimeout(ShedError):
    """The judge's deadline passed."""

    cause = "judge_timeout"


class ModelNotCleared(ShedError):
    """The judge may not see a request of this privacy tier."""

    cause = "judge_not_cleared"


class ModelFailed(ShedError):
    """The judge could not be reached, or did not answer 200 with a body of bounded length."""

    cause = "judge_failed"


class UnclearAnswer(ShedError):
    """The judge answered, but not what it was asked for. Its words are not repeated: they may repeat the prompt's."""

    cause = "judge_unclear"


class BodyUnread(ShedError):
    """Nobody reads the request's body."""

    cause = "unread"


class ConfigError(RouterError):
    """The config file has mistakes; `mistakes` holds all of them, in file order."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class ArtefactError(RouterError):
    """The model directory is corrupt or does not fit this version."""


class StartupError(RouterError):
    """The process cannot start: an address is taken, a file is missing."""
