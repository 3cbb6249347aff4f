from __future__ import annotations

from extproc_router.envoyconf.expected import Served
from extproc_router.envoyconf.render import lua

SERVED = Served("small", 'org/"ä', ('org/"ä', "lora"), "api.example.com", 1024)


def test_a_program_has_its_constants_in_front() -> None:
    lines = lua.source(SERVED).splitlines()
    assert lines[: lua.CONSTANTS + 1] == [
        'local CLUSTER = "small"',
        # As JSON spells it, between its quotes.
        r'local DEFAULT = "org/\092\034\195\164"',
        'local HOST = "api.example.com"',
        r'local SERVED = {["org/\092\034\195\164"] = true, ["lora"] = true}',
        lines[4],
        "local NAMED_BYTES = 1048576",
        "",
    ]
    assert lines[4].startswith('local PATHS = {["/v1/chat/completions"] = true, ')


def test_the_rest_is_the_same_everywhere() -> None:
    other = lua.source(Served("other", "a", ("a",), "", 1)).splitlines()
    assert lua.source(SERVED).splitlines()[lua.CONSTANTS :] == other[lua.CONSTANTS :]
    assert lua.source(SERVED).isascii()
    assert 'local HOST = ""' in other
