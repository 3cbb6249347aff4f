"""What Python runs first where this directory is on PYTHONPATH: prompts that ask for it make the router fail.

The exceptions quote the prompt, as those of libraries do.
"""

from __future__ import annotations

from typing import Any

from extproc_router.encoder.encoder import Encoder
from extproc_router.router.router import Router

_encode, _read = Encoder.encode, Router.read


def encode(self: Encoder, text: str, *arguments: Any, **named: Any) -> Any:
    if "break the encoder" in text:
        raise ValueError(text)
    return _encode(self, text, *arguments, **named)


def read(self: Router, http: Any, decision_id: str) -> Any:
    if b"break the router" in (http.body or b""):
        try:
            {}[http.body]
        except KeyError as error:
            raise RuntimeError(f"cannot read {http}") from error
    return _read(self, http, decision_id)


Encoder.encode, Router.read = encode, read  # type: ignore[method-assign]
