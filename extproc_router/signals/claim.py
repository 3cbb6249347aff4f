"""What a JWT says of the caller: tenant, groups, plan.

Envoy's filter `jwt_authn` verifies the token and, with `forward_payload_header`, hands on its payload: JSON in
base64url. Nothing is verified here. The filter has to run before ext_proc, and removes a header of that name that a
client wrote; without it the header is anybody's.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import Field, StringConstraints

from extproc_router.options import HeaderName  # noqa: TC001 - pydantic evaluates it
from extproc_router.signals import values
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.signals.base import Reader, Resources, Subject
    from extproc_router.types import Signal

MAX_HEADER = 16_384
"""Characters of the header; Envoy refuses 60 KB of all headers together."""

_BASE64_QUANTUM = 4


class Options(values.ValueOptions):
    """A claim of a token, whose values are labels."""

    kind: Annotated[
        Literal["claim"],
        Field(description="the value of a JWT's claim is the label; each one of a list is one"),
    ]
    claim: Annotated[
        str,
        StringConstraints(min_length=1, max_length=256),
        Field(
            description="which; `.` leads into an object, but a key that has dots itself is found first. Strings, "
            "numbers, true and false count, and lists of them",
            examples=["tier", "realm_access.roles", "https://example.com/plan"],
        ),
    ]
    header: Annotated[
        HeaderName,
        Field(description="where Envoy's jwt_authn puts the verified payload (`forward_payload_header`)"),
    ] = "x-jwt-payload"


def build(name: str, options: Options, _: Resources) -> Reader:
    """Build the signal: a label a value."""
    compiled = values.compiled(name, options)

    def look(subject: Subject) -> Signal:
        forwarded = subject.headers.get(options.header, "")
        claims = payload(forwarded) if forwarded else {}
        return compiled.signal(texts(find(claims, options.claim)))

    return Plain(name, Cost.FACT, look, known=compiled.known)


def payload(forwarded: str) -> dict[str, Any]:
    """Read a forwarded payload.

    Raises:
        ValueError: it is too long, no base64url or no JSON object.
    """
    if len(forwarded) > MAX_HEADER:
        raise ValueError(f"a payload of more than {MAX_HEADER} characters")
    try:
        padded = forwarded.rstrip("=") + "=" * (-len(forwarded.rstrip("=")) % _BASE64_QUANTUM)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=dict[str, Any])
    # Their reasons may quote the token.
    except (binascii.Error, UnicodeError, msgspec.DecodeError, RecursionError):
        raise ValueError("the payload is no JSON object in base64url") from None


def find(claims: object, path: str) -> object:
    """Follow a path into the claims; None where it leads nowhere."""
    while isinstance(claims, dict):
        if path in claims:
            return claims[path]
        key, dot, path = path.partition(".")
        claims = claims.get(key) if dot else None
    return None


def texts(value: object) -> Iterator[str]:
    """Spell a value, or each of a list, as a rule names it; what is neither text, number nor flag says nothing."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, bool):
            yield "true" if one else "false"
        elif isinstance(one, str | int | float):
            yield str(one)
