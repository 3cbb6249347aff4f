"""Random requests: a sketch written down, headers that are odd, bodies that nobody can read, and what goes wrong."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from extproc_router.lab.hunt import bodies, faults, sketches
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.faults import Faults, Heads
from extproc_router.lab.hunt.sketches import Sketch
from extproc_router.types import HttpRequest

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from extproc_router.lab.hunt.sources import Source

TIER_HEADER: Final = "x-privacy-tier"
MAX_BODY: Final = 65_536
"""Bytes that a policy of the hunt takes."""

_TOO_MANY: Final = 70  # values in one header
_STRANGER: Final = "walnut"


class Shape(Enum):
    """How much of a request there is to be read."""

    READ = "read"
    UNREAD = "unread"  # a body on an API's path that nobody can read, or that there is no room for
    OTHER = "other"  # a body on another path
    EMPTY = "empty"  # no body


class Case(Struct, frozen=True):
    """A request and what goes wrong with it.

    Attributes:
        http: as Envoy shows it.
        shape: how much of it can be read.
        sketch: what its body says.
        given: name of a signal that reads a header -> the labels that it gives; None where it cannot be read.
        patient: whether a header says that it may take long; None where none says anything.
        heads: what the encoder says.
        faults: what goes wrong.
        salt: of the faults that hit some texts and not others.
    """

    http: HttpRequest
    shape: Shape
    sketch: Sketch
    given: Mapping[str, frozenset[str] | None]
    patient: bool | None
    heads: Heads
    faults: Faults
    salt: int


def draw(rng: random.Random, sources: Mapping[str, Source], tiers: Sequence[str], models: Sequence[str]) -> Case:
    """Draw a request.

    Args:
        rng: where chance comes from.
        sources: the policy's signals.
        tiers: its privacy tiers.
        models: names that may be asked for; the empty one leaves the member out or empty.
    """
    sketch = sketches.draw(rng, sources)
    headers: dict[str, str] = {}
    given = {source.name: _give(rng, source, headers) for source in sources.values() if source.is_fact}
    patient = rng.choice([None, None, True, False])
    if patient is not None:
        headers["x-latency-class"] = rng.choice(["batch", " Batch"] if patient else ["interactive", "INTERACTIVE "])
    tier = _tier(rng, tiers)
    if tier is not None:
        headers[TIER_HEADER] = tier
    if happens(rng, 0.8):
        headers["x-user"] = rng.choice(["ann", "bob", "cy"])
    if happens(rng, 0.8):
        headers["x-request-id"] = f"r{rng.randrange(50)}"
    model = rng.choice(models) if happens(rng, 0.9) else None
    wrong = faults.draw(rng, sources)
    shape, http = _http(rng, sketch, bodies.body(rng, sketch, model), headers)
    if shape is not Shape.READ:
        wrong = replace(wrong, no_room=False)  # nothing was gathered
    elif wrong.no_room:
        shape = Shape.UNREAD
    return Case(http, shape, sketch, given, patient, faults.draw_heads(rng), wrong, rng.getrandbits(32))


def _tier(rng: random.Random, tiers: Sequence[str]) -> str | None:
    """Write the header that says how private a request is; None where it is not there."""
    name = rng.choice(tiers)
    odd = rng.choice([name, name.upper(), name.lower(), name.swapcase(), f" {name}\t"])
    return rng.choice([
        None, None, None, None, odd, odd, name, tiers[0],
        f"{rng.choice(tiers)}, {odd}", f"{odd},{rng.choice(tiers)}", f"{tiers[0]},{name},{tiers[0]}",
        f"{name}x", name[:-1], "", " \t", f"{tiers[0]},", "unheard of",
    ])  # fmt: skip


def _give(rng: random.Random, source: Source, headers: dict[str, str]) -> frozenset[str] | None:
    """Give a signal its header, or not; returns the labels that it has then, None where it is too much or broken."""
    if happens(rng, 0.5):
        return frozenset()
    is_broken = happens(rng, 0.1)
    labels = rng.sample(source.labels, k=rng.randint(1, len(source.labels)))
    written = source.written or {}
    if source.kind == "claim":
        headers[source.header] = "e30x!" if is_broken else _payload(rng, labels)
        return None if is_broken else frozenset(labels)
    if is_broken:
        headers[source.header] = ", ".join(f"v{number}" for number in range(_TOO_MANY))
        return None
    listed = "values" in written
    spelled = [rng.choice([label, label.upper(), label.title()]) if listed else label for label in labels]
    values = [*spelled, *([_STRANGER] if happens(rng, 0.3) else [])]
    rng.shuffle(values)
    headers[source.header] = rng.choice([", ", ",", " , "]).join(values)
    return frozenset(labels) if listed else frozenset(values)


def _payload(rng: random.Random, labels: Sequence[str]) -> str:
    """Write claims as Envoy forwards them."""
    values = [{"42": 42, "true": True}.get(label, label) for label in labels]
    groups = values[0] if len(values) == 1 and happens(rng, 0.5) else values
    raw = json.dumps({"sub": "u", "realm": {"groups": groups}}).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _http(rng: random.Random, sketch: Sketch, raw: bytes, headers: dict[str, str]) -> tuple[Shape, HttpRequest]:
    path = bodies.PATHS[sketch.api]
    kind = rng.choice(["read"] * 16 + ["unread"] * 3 + ["other", "empty"])
    if kind == "read":
        path = rng.choice([path, path, path, f"{path}/", f"{path}?a=b", path.replace("/v1/", "/v1%2F")])
        return _coded(rng, path, raw, headers)
    if kind == "unread":
        return _unread(rng, path, raw, headers)
    if kind == "other":
        return _other(rng, raw, headers)
    if happens(rng, 0.5):
        return Shape.EMPTY, HttpRequest("POST", path, headers, rng.choice([None, b""]))
    return Shape.EMPTY, HttpRequest("GET", rng.choice(["/v1/models", "/metrics"]), headers, None)


def _unread(rng: random.Random, path: str, raw: bytes, headers: dict[str, str]) -> tuple[Shape, HttpRequest]:
    """Send a body that nobody reads."""
    headers["content-length"] = str(len(raw))
    kind = rng.choice(["coded", "coded", "parts", "junk", "long"])
    if kind == "coded":
        headers["content-encoding"] = rng.choice(["br", "gzip", "gzip, gzip"])
        return Shape.UNREAD, HttpRequest("POST", path, headers, raw)
    if kind == "parts":
        headers["content-type"] = rng.choice(["multipart/form-data; boundary=x", "Multipart/Mixed"])
        return Shape.UNREAD, HttpRequest("POST", path, headers, rng.choice([raw, None]), more=True)
    if kind == "junk":
        return Shape.UNREAD, HttpRequest("POST", path, headers, raw[: len(raw) // 2])
    headers["content-length"] = str(MAX_BODY * 2)
    return Shape.UNREAD, HttpRequest("POST", path, headers, None, more=True)


def _other(rng: random.Random, raw: bytes, headers: dict[str, str]) -> tuple[Shape, HttpRequest]:
    """Send a body to a path that is none of the APIs'."""
    path = rng.choice(["/v1/rerank", "/V1/chat/completions", "/v1/models/x", "/"])
    method = rng.choice(["POST", "PUT"])
    if happens(rng, 0.3):
        return Shape.OTHER, HttpRequest(method, path, headers, None, more=True)
    headers["content-length"] = str(len(raw))
    return Shape.OTHER, HttpRequest(method, path, headers, rng.choice([raw, None]))


def _coded(rng: random.Random, path: str, raw: bytes, headers: dict[str, Any]) -> tuple[Shape, HttpRequest]:
    """Compress some bodies."""
    coding = rng.choice(["", "", "", "", "", "", "", "gzip", "deflate", "identity"])
    if coding:
        headers["content-encoding"] = rng.choice([coding, coding.upper(), f"identity, {coding}"])
    sent = gzip.compress(raw, mtime=0) if coding == "gzip" else zlib.compress(raw) if coding == "deflate" else raw
    headers["content-length"] = str(len(sent))
    return Shape.READ, HttpRequest("POST", path, headers, sent)
