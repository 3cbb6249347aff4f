from __future__ import annotations

import asyncio

from grpc_health.v1 import health_pb2

from extproc_router.server.health import LIVENESS, READINESS, Health

_STATUS = health_pb2.HealthCheckResponse


def test_liveness_and_readiness_do_not_move_each_other() -> None:
    async def main() -> None:
        health = Health()

        async def status(name: str) -> int:
            return int((await health.servicer.Check(health_pb2.HealthCheckRequest(service=name), None)).status)

        await health.set_alive(alive=True)
        await health.set_ready(ready=False)
        assert await status(LIVENESS) == _STATUS.SERVING
        assert [await status(name) for name in READINESS] == [_STATUS.NOT_SERVING] * len(READINESS)
        await health.set_ready(ready=True)
        await health.set_alive(alive=False)
        assert await status(LIVENESS) == _STATUS.NOT_SERVING
        assert [await status(name) for name in READINESS] == [_STATUS.SERVING] * len(READINESS)

    asyncio.run(main())
