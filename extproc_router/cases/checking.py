"""What came out against what was expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from extproc_router.explaining.outcome import outcome
from extproc_router.types import Mutation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from extproc_router.cases.schema import Expect
    from extproc_router.types import Answer

_NONE = "-"
_ABSENT = object()


class Difference(Struct, frozen=True):
    """One thing that is other than expected: its name, as people read both."""

    what: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, got {self.got}"


def check(expect: Expect, answer: Answer, sent: bytes = b"") -> tuple[str, ...]:
    """Say what differs, a line each; nothing where all is as expected.

    Args:
        expect: what is expected.
        answer: what came out.
        sent: the body that the client sent, which goes on where the answer changes no byte of it.
    """
    return tuple(map(str, differences(expect, answer, sent)))


def differences(expect: Expect, answer: Answer, sent: bytes = b"") -> tuple[Difference, ...]:
    """Return what differs; arguments as above."""
    return tuple(_differences(expect, answer, sent))


def _differences(expect: Expect, answer: Answer, sent: bytes) -> Iterator[Difference]:
    decision = answer.decision
    plain: tuple[tuple[str, Any, Any], ...] = (
        ("action", expect.action, outcome(answer).value),
        ("status", expect.status, decision.status),
        ("model", expect.model, decision.model),
        ("rule", expect.rule, decision.rule),
        ("reason", expect.reason, decision.reason.value),
        ("tier", expect.tier, decision.privacy_tier),
        ("sticky", expect.sticky, decision.sticky or "none"),
    )
    for what, wanted, got in plain:
        if wanted is not None and wanted != got:
            yield Difference(what, str(wanted) or _NONE, str(got) or _NONE)
    if expect.chain is not None and tuple(expect.chain) != decision.chain:
        yield Difference("chain", _listed(expect.chain), _listed(decision.chain))
    if expect.safety is not None and not _told(expect.safety, decision.safety):
        yield Difference("safety", _listed(expect.safety), _listed(decision.safety))
    if expect.shadow is not None and not _told(expect.shadow, decision.shadow):
        yield Difference("shadow", _listed(expect.shadow), _listed(decision.shadow))
    if expect.why_contains is not None and expect.why_contains not in decision.why:
        yield Difference("why", f"... {expect.why_contains} ...", decision.why or _NONE)
    if expect.body is not None:
        yield from _body(expect.body, answer, sent)


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or _NONE


def _told(wanted: Collection[str], got: Collection[str]) -> bool:
    """Whether `name=what` entries are those that are wanted, in any order, by name alone where no more is said."""
    if len(wanted) != len(got):
        return False
    left = list(got)
    for entry in wanted:
        found = next((told for told in left if entry in (told, told.rpartition("=")[0])), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _body(wanted: object, answer: Answer, sent: bytes) -> Iterator[Difference]:
    action = answer.action
    got = (sent if action.body is None else action.body) if isinstance(action, Mutation) else action.body
    try:
        value = json.loads(got)
    except (ValueError, RecursionError):
        yield Difference("body", "JSON", f"{len(got):,} bytes that are none")
        return
    yield from _within(wanted, value, "body")


def _within(wanted: object, got: object, what: str) -> Iterator[Difference]:
    """Find what of `wanted` is not in `got`: mappings may have more, lists may not."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name, value in wanted.items():
            yield from _within(value, got.get(name, _ABSENT), f"{what}.{name}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for place, (value, there) in enumerate(zip(wanted, got, strict=True)):
            yield from _within(value, there, f"{what}.{place}")
    elif wanted is None and got is _ABSENT:
        return
    elif wanted != got or isinstance(wanted, bool) is not isinstance(got, bool):
        yield Difference(what, _shown(wanted), _shown(got))


def _shown(value: object) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
