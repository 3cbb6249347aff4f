from __future__ import annotations

from extproc_router.server.tenure import Tenure


class Holder:
    released = 0

    def release(self) -> None:
        self.released += 1


def test_a_runtime_is_released_when_its_last_stream_is_over() -> None:
    holder = Holder()
    tenure = Tenure(holder)
    with tenure as seen:
        assert seen is holder
        with tenure:
            tenure.retire()
        assert holder.released == 0
    assert holder.released == 1


def test_one_without_streams_is_released_at_once() -> None:
    holder = Holder()
    tenure = Tenure(holder)
    with tenure:
        pass
    assert holder.released == 0
    tenure.retire()
    tenure.retire()
    assert holder.released == 1
