"""Writes a whole envoy.yaml from a router's config.

The text comes from templates, because comments are half of its worth; every field of it is then read by the classes
that are generated from Envoy's protos.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.render import addresses, clusters, plan, templates, text, typed
from extproc_router.envoyconf.render.plan import VERIFIER

if TYPE_CHECKING:
    from extproc_router.config.loader import Config

__all__ = ["VERIFIER", "bootstrap"]

_MIB, _GIB = 1024**2, 1024**3
# What the process takes beside its heap.
_MEMORY = 1.5


def bootstrap(config: Config, *, plain: bool = False) -> str:
    """Write envoy.yaml; the same config gives the same bytes.

    Args:
        config: checked by itself already.
        plain: for an Envoy before 1.40, or where somebody else owns the routes: it knows the first model of each
            request alone, and neither Lua nor the verifier.

    Raises:
        ConfigError: its addresses do not fit its models.
    """
    planned = plan.of(config, plain=plain)
    held = f"{planned.held_bytes / _MIB:.4g}"
    written = templates.filled(
        "envoy",
        {
            "chains": planned.chains,
            "cascades": planned.cascades,
            "on_context_length": planned.on_context_length,
            "closed": planned.expected.guards,
            "unix": planned.router[0].startswith("unix:"),
        },
        memory=f"{planned.heap_bytes * _MEMORY / _GIB:.4g}",
        admin=addresses.written(planned.endpoints.admin),
        listen=addresses.written(planned.endpoints.listen),
        held=held,
        held_bytes=planned.held_bytes,
        lowest=text.scalar(planned.expected.tiers[0]),
        default=text.scalar(planned.expected.default_cluster),
        idle_timeout=text.seconds(planned.idle_seconds),
        message_timeout=text.seconds(planned.message_seconds),
        credentials=" &credentials" if planned.cascades else "",
        router_type=clusters.kind(planned.router),
        router=clusters.servers(planned.router),
        sidecar=" &sidecar" if planned.cascades else "",
        verifier_type=clusters.kind((planned.endpoints.verifier,)),
        verifier=clusters.servers((planned.endpoints.verifier,)),
        clusters=clusters.written(planned),
        heap_bytes=planned.heap_bytes,
    )
    typed.parse(written)
    return written
