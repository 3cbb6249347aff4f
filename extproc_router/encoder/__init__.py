"""Text -> Encoding, by a small sentence encoder on ONNX Runtime and linear heads."""

from __future__ import annotations

from extproc_router.encoder.encoder import Encoder, load

__all__ = ["Encoder", "load"]
