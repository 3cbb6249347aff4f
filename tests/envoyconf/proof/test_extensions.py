from __future__ import annotations

from importlib import import_module

import pytest

from extproc_router.envoyconf.proof import extensions

TABLES = {name: types for name, types in vars(extensions).items() if isinstance(types, frozenset)}
TYPES = sorted({extensions.FILTER_STATE}.union(*TABLES.values()))


@pytest.mark.parametrize("name", TYPES)
def test_each_type_is_one_of_envoys(name: str) -> None:
    package, _, message = name.rpartition(".")
    names = dir(import_module(f"envoy_data_plane.{package}"))
    # Python's names are in mixed case: HttpFault for HTTPFault.
    assert message.lower() in {each.lower() for each in names}


def test_no_filter_is_listed_twice() -> None:
    assert not extensions.READERS & extensions.WRITERS
    assert not extensions.READERS_PER_ROUTE & extensions.WRITERS_PER_ROUTE
