"""An answer is read, stripped and judged in one go: what takes as long as the answer is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router import answers
from extproc_router.attempts import Heard, Verdict, Verification

if TYPE_CHECKING:
    from extproc_router.verifier.verdicts import Judge


class Weigh(Struct, frozen=True):
    """Have an answer read or judged, or both, then call `Exchange.weighed`.

    Attributes:
        asked: what the router said of the request.
        body: a whole answer; None where `heard` says already what a stream's beginning, or all of it, says.
        heard: see `body`.
        judged: whether a verdict is wanted.
        partial: whether more of the answer will come.
    """

    asked: Verification
    body: bytes | None
    heard: Heard = Heard()
    judged: bool = True
    partial: bool = False


class Weighed(Struct, frozen=True):
    """What came of it.

    Attributes:
        heard: what the answer says.
        body: as the client shall get it: the same object where nothing is stripped; None as in `Weigh`.
        verdict: None where none was wanted, or judging failed.
        failure: what judging failed with.
    """

    heard: Heard
    body: bytes | None
    verdict: Verdict | None = None
    failure: Exception | None = None


def weigh(judge: Judge, wanted: Weigh) -> Weighed:
    """Read and strip an answer, and judge it where that is wanted."""
    asked, body, heard = wanted.asked, wanted.body, wanted.heard
    if body is not None:
        heard = answers.read(asked.api, body)
        body = answers.strip(asked.api, body, logprobs=asked.strips_logprobs)
    if not wanted.judged:
        return Weighed(heard, body)
    try:
        return Weighed(heard, body, judge.judge(heard, asked, partial=wanted.partial))
    except Exception as failure:  # noqa: BLE001 - a defect of ours costs the verdict, not the answer
        return Weighed(heard, body, failure=failure)
