from __future__ import annotations

import json

import pytest

from extproc_router.dialects.replies import (
    anthropic_error,
    anthropic_error_type,
    common_error,
    events_reply,
    openai_error,
)
from extproc_router.errors import ClientError, ModelNotAllowed, ModelNotFound, NoEligibleModel


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "invalid_request_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropic_types_follow_from_the_status(status: int, kind: str) -> None:
    assert anthropic_error_type(status) == kind


@pytest.mark.parametrize("error", [ModelNotFound('no "x"\u2028'), NoEligibleModel("none")])
def test_both_clients_find_their_members_in_the_common_shape(error: ClientError) -> None:
    common = json.loads(common_error(error.status, error).body)
    assert json.loads(openai_error(error.status, error).body).items() <= common.items()
    anthropic = json.loads(anthropic_error(error.status, error).body)
    assert common["type"] == anthropic["type"]
    assert common["error"]["message"] == anthropic["error"]["message"] == error.message


def test_openai_members_are_the_errors_own() -> None:
    reply = openai_error(403, ModelNotAllowed("not cleared", param="model"))
    assert reply.status == 403
    assert json.loads(reply.body) == {
        "error": {
            "message": "not cleared",
            "type": "permission_error",
            "param": "model",
            "code": "model_not_allowed",
        }
    }


def test_events_are_named_where_the_api_names_them() -> None:
    reply = events_reply([("start", {"n": 1}), ("", {"text": "a\nb"})], end=b"data: [DONE]\n\n")
    assert reply.status == 200
    assert dict(reply.headers)["content-type"].startswith("text/event-stream")
    assert reply.body == b'event: start\ndata: {"n":1}\n\ndata: {"text":"a\\nb"}\n\ndata: [DONE]\n\n'
