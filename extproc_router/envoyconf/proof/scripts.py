"""The one Lua program that is understood: `envoyconf/render/model.lua`, byte for byte, behind constants.

What it can do, whatever the constants say: change a request's body as the metadata `extproc_router.attempts` tells it,
or name the cluster's own model; set `content-length` and, to a constant, `:authority`; remove four headers, and add one
to an answer. By none of them is a cluster chosen, on no attempt.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof import known
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.message import members, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.place import Place

TYPE = "envoy.extensions.filters.http.lua.v3.Lua"

# A string ends where its quote does, whatever is in it; so nothing but constants stands in front of the program.
_STRING = r'"(?:[^"\\\r\n]|\\[0-9]{1,3}|\\["\\nrt])*"'
_ENTRY = rf"\[{_STRING}\] = true"
_VALUE = rf"(?:{_STRING}|[0-9]{{1,15}}|\{{(?:{_ENTRY}(?:, {_ENTRY})*)?\}})"
_CONSTANT = re.compile(rf"local (CLUSTER|DEFAULT|HOST|SERVED|PATHS|NAMED_BYTES) = ({_VALUE})\n")
_NAMES = ("CLUSTER", "DEFAULT", "HOST", "SERVED", "PATHS", "NAMED_BYTES")


def doubts(field: str, config: Place) -> Iterator[Doubt]:
    """Yield what of a Lua filter is not understood: another program, or more than one."""
    said = members(config)
    yield from misread(field, said, known.LUA)
    if _constants(said) is None:
        yield Doubt(config, field, "it is not the program of `extproc-router envoy render`: another may do anything")


def writes_host(config: Place) -> bool:
    """Whether our program has a server see another host than the one that routes have seen."""
    found = _constants(members(config))
    return found is not None and found["HOST"] != '""'


def _constants(said: dict[str, Place]) -> dict[str, str] | None:
    """Return the constants of our program, as written; None where it is another."""
    source = members(said["default_source_code"]) if "default_source_code" in said else {}
    program = text(source.get("inline_string"))
    if source.keys() != {"inline_string"} or not program.rstrip("\n").endswith(_shared()):
        return None
    head = program.rstrip("\n").removesuffix(_shared())
    found = _CONSTANT.findall(head)
    if [name for name, _ in found] != list(_NAMES) or _CONSTANT.sub("", head).strip("\n"):
        return None
    return dict(found)


@cache
def _shared() -> str:
    place = files("extproc_router.envoyconf") / "render" / "model.lua"
    return place.read_text(encoding="utf-8").rstrip("\n")
