from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.signals import claim
from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject

CLAIMS = {
    "tier": "gold",
    "level": 3,
    "beta": True,
    "groups": ["legal", "staff", 7, None, {"a": "b"}],
    "realm_access": {"roles": ["admin"]},
    "https://example.com/plan": "pro",
    "a.b": {"c": "deep", "c.d": "deeper"},
    "a": {"b.c": "other", "b": {"e": "inner"}},
    "nothing": None,
    "empty": "",
}


def forwarded(payload: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(payload).encode()).decode()


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("tier", {"gold"}),
        ("level", {"3"}),
        ("beta", {"true"}),
        ("groups", {"legal", "staff", "7"}),
        ("realm_access.roles", {"admin"}),
        ("https://example.com/plan", {"pro"}),
        ("a.b", set()),
        ("a.b.c", {"other"}),
        ("a.b.e", {"inner"}),
        ("realm_access", set()),
        ("nothing", set()),
        ("empty", set()),
        ("tier.x", set()),
        ("nowhere.at.all", set()),
    ],
)
@pytest.mark.parametrize("is_padded", [True, False])
def test_each_value_of_a_claim_is_a_label(
    build: Build, subject: MakeSubject, path: str, labels: set[str], *, is_padded: bool
) -> None:
    header = forwarded(CLAIMS) if is_padded else forwarded(CLAIMS).rstrip("=")
    signal = build("claim", claim=path).read(subject(headers={"x-jwt-payload": header}), NO_ANSWERS)
    assert signal == Signal("claim", "set" if labels else "none", 1.0, frozenset(labels))


def test_listed_values_and_another_header(build: Build, subject: MakeSubject) -> None:
    reader = build("claim", claim="tier", header="x-token", values=["gold"])
    seen = subject(headers={"x-token": forwarded(CLAIMS), "x-jwt-payload": forwarded({"tier": "iron"})})
    assert reader.read(seen, NO_ANSWERS).label == "gold"


def test_without_a_token_there_is_no_label(build: Build, subject: MakeSubject) -> None:
    assert build("claim", claim="tier").read(subject(), NO_ANSWERS) == Signal("claim", "none", 1.0)


@pytest.mark.parametrize(
    "header",
    [
        "secret",
        "secre*==",
        "é",
        forwarded(["secret"]),
        forwarded("secret"),
        forwarded({"tier": "secret"})[:-6],
        f"{forwarded({'tier': 'secret'})}, {forwarded({'tier': 'secret'})}",
        base64.urlsafe_b64encode(b"[" * 12_000).decode(),
        base64.urlsafe_b64encode(b'{"tier": "\xff secret"}').decode(),
        "A" * 16_385,
    ],
)
def test_garbage_is_absent_and_never_repeated(build: Build, subject: MakeSubject, header: str) -> None:
    with pytest.raises(ValueError, match="payload") as caught:
        build("claim", claim="tier").read(subject(headers={"x-jwt-payload": header}), NO_ANSWERS)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner),
)


@given(st.dictionaries(st.sampled_from(["a", "b", "a.b"]), _json), st.sampled_from(["a", "a.b", "a.b.a", "."]))
def test_any_claims_can_be_followed(claims: dict[str, Any], path: str) -> None:
    assert all(isinstance(text, str) for text in claim.texts(claim.find(claims, path)))


@given(st.text())
def test_any_header_is_read_or_refused(header: str) -> None:
    try:
        assert isinstance(claim.payload(header), dict)
    except ValueError as error:
        assert "payload" in str(error)
