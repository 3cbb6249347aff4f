"""grpc.health.v1 with liveness and readiness apart.

| service asked for                              | SERVING when                                            |
|------------------------------------------------|---------------------------------------------------------|
| `liveness`                                     | the process turns and its encoder is not stuck          |
| `readiness`, the empty name, the ext_proc name | the model is loaded and warm, and no drain has begun    |
"""

from __future__ import annotations

from grpc_health.v1 import health, health_pb2

from extproc_router.extproc import codec

LIVENESS = "liveness"
READINESS = ("readiness", health.OVERALL_HEALTH, codec.SERVICE)

_STATUS = health_pb2.HealthCheckResponse


class Health:
    """Both answers; not ready until told so."""

    def __init__(self) -> None:
        self.servicer = health.aio.HealthServicer()

    async def set_alive(self, alive: bool) -> None:  # noqa: FBT001 - a setter
        """Answer liveness."""
        await self.servicer.set(LIVENESS, _STATUS.SERVING if alive else _STATUS.NOT_SERVING)

    async def set_ready(self, ready: bool) -> None:  # noqa: FBT001 - a setter
        """Answer readiness."""
        for name in READINESS:
            await self.servicer.set(name, _STATUS.SERVING if ready else _STATUS.NOT_SERVING)
