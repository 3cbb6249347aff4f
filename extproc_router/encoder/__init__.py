"""Text -> Encoding, by a small sentence encoder on ONNX Runtime and linear heads."""

from __future__ import annotations

import os

# ONNX Runtime tells its makers about each start unless told not to, and only before it is imported counts.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from extproc_router.encoder.encoder import Encoder, load

__all__ = ["Encoder", "load"]
