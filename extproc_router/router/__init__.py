"""The rooms in order: dialect reads, signals are read, policy chooses, dialect patches.

Synchronous and pure: the same config, request and answers give the same decision. Ids and answers come from outside.
"""

from __future__ import annotations

from extproc_router.router.compose import (
    CASCADE,
    CHAIN_HEADER,
    CLUSTER_HEADER,
    DECISION_HEADER,
    FALLBACK,
    RETRIES_HEADER,
    TIMEOUT_HEADER,
    Opened,
)
from extproc_router.router.paths import declared_length
from extproc_router.router.router import Plan, Router, Terms

__all__ = [
    "CASCADE",
    "CHAIN_HEADER",
    "CLUSTER_HEADER",
    "DECISION_HEADER",
    "FALLBACK",
    "RETRIES_HEADER",
    "TIMEOUT_HEADER",
    "Opened",
    "Plan",
    "Router",
    "Terms",
    "declared_length",
]
