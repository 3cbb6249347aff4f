from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof import scripts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.envoyconf.conftest import Read

CONSTANTS = (
    r'local CLUSTER = "small \\ \"one\" \195\164"',
    'local DEFAULT = "a"',
    'local HOST = ""',
    'local SERVED = {["a"] = true, ["b]] = 1"] = true}',
    "local PATHS = {}",
    "local NAMED_BYTES = 1048576",
)
HEAD = "\n".join(CONSTANTS) + "\n\n"


@pytest.fixture(scope="module")
def shared(root: Path) -> str:
    return (root / "extproc_router/envoyconf/render/model.lua").read_text(encoding="utf-8")


def whys(read: Read, program: object, **more: Any) -> list[str]:
    config = read({"@type": f"x/{scripts.TYPE}", "default_source_code": {"inline_string": program}, **more})
    return [f"{doubt.field}: {doubt.why}" for doubt in scripts.doubts("f", config)]


def test_our_own_program_is_known_behind_any_constants(read: Read, shared: str) -> None:
    assert whys(read, HEAD + shared) == []
    assert whys(read, HEAD + shared.rstrip("\n"), stat_prefix="x") == []


@pytest.mark.parametrize(
    "head",
    [
        "",
        HEAD + "os.execute('x')\n",
        "os.execute('x')\n" + HEAD,
        HEAD + "--[[",
        HEAD.replace("local HOST", "local HOTS"),
        HEAD.replace('local HOST = ""', "local HOST = os.getenv('A')"),
        HEAD.replace('local HOST = ""', 'local HOST = "" os.execute("x")'),
        HEAD.replace('local HOST = ""', 'local HOST = "\\x41"'),
        HEAD.replace('local HOST = ""', "local HOST = [[x]]"),
        HEAD.replace("1048576", "1048576 + f()"),
        HEAD.replace("PATHS = {}", "PATHS = {f()}"),
        HEAD.replace('"a"', '"a\n"'),
        HEAD + CONSTANTS[0] + "\n",
        HEAD.replace(CONSTANTS[1] + "\n", ""),
    ],
)
def test_anything_else_in_front_of_it_may_do_anything(read: Read, shared: str, head: str) -> None:
    [why] = whys(read, head + shared)
    assert "another may do anything" in why


def test_one_byte_more_less_or_other_may_do_anything(read: Read, shared: str) -> None:
    middle = len(shared) // 2
    for program in (
        shared[:middle] + shared[middle + 1 :],
        shared[:middle] + " " + shared[middle:],
        shared.replace("x-cascade-escalate", "x-cascade-escalatf", 1),
        shared + "--",
        shared[1:],
    ):
        assert len(whys(read, HEAD + program)) == 1


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"source_codes": {"a": {"inline_string": "x"}}}, "f.source_codes"),
        ({"inline_code": "x"}, "f.inline_code"),
        ({"clear_route_cache": True}, "f.clear_route_cache"),
    ],
)
def test_more_than_one_program_proves_nothing(read: Read, shared: str, more: dict[str, Any], field: str) -> None:
    assert whys(read, HEAD + shared, **more) == [f"{field}: is not understood"]


def test_a_program_from_elsewhere_proves_nothing(read: Read, shared: str) -> None:
    assert len(whys(read, 5)) == 1
    source = {"inline_string": HEAD + shared, "filename": "/x.lua"}
    for said in ({"default_source_code": {"filename": "/x.lua"}}, {"default_source_code": source}, {}):
        assert len(list(scripts.doubts("f", read({"@type": f"x/{scripts.TYPE}", **said})))) == 1


@pytest.mark.parametrize(("host", "writes"), [("", False), ("api.example", True)])
def test_it_may_write_the_host(read: Read, shared: str, host: str, writes: bool) -> None:
    program = HEAD.replace('HOST = ""', f'HOST = "{host}"') + shared
    assert scripts.writes_host(read({"default_source_code": {"inline_string": program}})) is writes
    assert not scripts.writes_host(read({"default_source_code": {"inline_string": "x"}}))
