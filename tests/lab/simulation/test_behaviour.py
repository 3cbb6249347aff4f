from __future__ import annotations

from typing import get_args, get_type_hints

import msgspec
import pytest
from msgspec import Meta

from extproc_router.lab.simulation.behaviour import Behaviour


def test_every_member_says_what_it_does() -> None:
    for name, hint in get_type_hints(Behaviour, include_extras=True).items():
        assert any(isinstance(each, Meta) and each.description for each in get_args(hint)), name


def test_the_defaults_are_in_their_ranges() -> None:
    assert msgspec.convert(msgspec.structs.asdict(Behaviour()), Behaviour) == Behaviour()


def test_it_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Behaviour().fault = "hang"  # type: ignore[misc]


@pytest.mark.parametrize(
    "members",
    [
        {"ttft_seconds": -1},
        {"ttft_seconds": float("nan")},
        {"tokens_per_second": 0},
        {"status": 200},
        {"fault": "mischief"},
        {"skill": 1.5},
        {"split_bytes": 0},
        {"unknown": 1},
    ],
)
def test_what_is_out_of_range_is_told(members: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(members))):
        msgspec.convert(members, Behaviour)
