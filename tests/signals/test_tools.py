from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.signals.base import NO_ANSWERS

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject


@pytest.mark.parametrize(
    ("role", "members", "labels"),
    [
        ("user", {}, set()),
        ("user", {"tools": True}, {"declared"}),
        ("assistant", {"called": True}, {"called"}),
        ("tool", {"tools": True, "called": True}, {"declared", "called", "results"}),
        ("function", {}, {"results"}),
    ],
)
def test_how_far_tools_got(
    build: Build, subject: MakeSubject, role: str, members: dict[str, Any], labels: set[str]
) -> None:
    assert build("tools").read(subject((role, "text"), **members), NO_ANSWERS).labels == labels
