"""Whether an envoy.yaml and a router's config together keep every request inside its privacy tier.

The theorem, its assumptions and what is outside of it: docs/privacy.md.
"""

from __future__ import annotations

from extproc_router.envoyconf.proof.proving import Examined, Proof, prove

__all__ = ["Examined", "Proof", "prove"]
