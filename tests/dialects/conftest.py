from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from extproc_router.dialects import DIALECTS, Dialect
from extproc_router.types import Modality, Request, Turn

GOLDEN = Path(__file__).parent / "golden"

settings.register_profile("dialects", deadline=None, derandomize=True, database=None)
settings.load_profile("dialects")


class Golden(msgspec.Struct, frozen=True):
    """A request as a client sends it, and how it is to be read."""

    dialect: Dialect
    body: bytes
    read: dict[str, Any]

    @property
    def request(self) -> Request:
        start = self.body.index(b'"model"') + len(b'"model"')
        start = self.body.index(b'"', start)
        end = self.body.index(b'"', start + 1) + 1
        return Request(
            api=self.dialect.name,
            model=self.read["model"],
            model_span=(start, end),
            turns=tuple(Turn(role, text) for role, text in self.read["turns"]),
            stream=self.read["stream"],
            modalities=frozenset(map(Modality, self.read["modalities"])),
            tools=self.read["tools"],
            called=self.read.get("called", False),
            max_tokens=self.read.get("max_tokens"),
            service_tier=self.read.get("service_tier", ""),
            tools_bytes=self.read.get("tools_bytes", 0),
            unread=self.read.get("unread", ""),
            declared=self.read.get("declared", "").encode(),
        )


def _load(path: Path) -> Golden:
    dialect = next(dialect for dialect in DIALECTS if dialect.name == path.parent.name)
    read = json.loads(path.with_name(path.name.replace(".request.", ".read.")).read_bytes())
    return Golden(dialect, path.read_bytes(), read)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`golden`: the pairs of the dialect that the test module is named after; `any_golden`: those of all dialects."""
    if "golden" in metafunc.fixturenames:
        name = metafunc.module.__name__.rpartition("test_")[2]
        paths = sorted((GOLDEN / name).glob("*.request.json"))
        assert paths
        metafunc.parametrize("golden", [pytest.param(_load(path), id=path.name.split(".")[0]) for path in paths])
    if "any_golden" in metafunc.fixturenames:
        paths = sorted(GOLDEN.glob("*/*.request.json"))
        ids = [f"{path.parent.name}-{path.name.split('.')[0]}" for path in paths]
        metafunc.parametrize("any_golden", [_load(path) for path in paths], ids=ids)
    if "dialect" in metafunc.fixturenames:
        metafunc.parametrize("dialect", DIALECTS, ids=[dialect.name for dialect in DIALECTS])


# JSON as text, not as Python values: number spelling, escapes, whitespace and duplicates are what must survive.
_BLANK = st.sampled_from(["", "", "", " ", "\n\t", "\r\n  "])
_NUMBERS = st.sampled_from(["0", "-0", "1.50", "1E400", "-2e-7", "7" * 400, "0.1000000000000000055511151231257827"])
_LITERALS = st.sampled_from(["null", "true", "false", "[]", "{}", "[ ]", "{\n}"])
_STRINGS = st.builds(
    json.dumps,
    st.one_of(st.text(max_size=12), st.sampled_from(['"model":"x"', "model", '\\"model\\":', "}{", "\u2028é😀"])),
    ensure_ascii=st.booleans(),
)


@st.composite
def _array(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    return "[" + ",".join(draw(_BLANK) + value + draw(_BLANK) for value in draw(st.lists(values, max_size=4))) + "]"


@st.composite
def _object(draw: st.DrawFn, values: st.SearchStrategy[str], keys: st.SearchStrategy[str]) -> str:
    members = draw(st.lists(st.tuples(keys, values), max_size=5))
    return "{" + ",".join(f"{draw(_BLANK)}{key}{draw(_BLANK)}:{draw(_BLANK)}{value}" for key, value in members) + "}"


def json_texts(
    strings: st.SearchStrategy[str] = _STRINGS, keys: st.SearchStrategy[str] = _STRINGS
) -> st.SearchStrategy[str]:
    """JSON values, nested, in every spelling."""
    return st.recursive(
        st.one_of(strings, _NUMBERS, _LITERALS),
        lambda values: st.one_of(_array(values), _object(values, keys)),
        max_leaves=12,
    )


@pytest.fixture(scope="session")
def json_values() -> Any:
    return json_texts
