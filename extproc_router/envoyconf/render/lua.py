"""The Lua filter of a cluster: what it must know of its cluster, in front of the text that all of them share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from extproc_router.envoyconf import samples
from extproc_router.envoyconf.render import templates, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.envoyconf.expected import Served

SHARED = "model.lua"
CONSTANTS = 6
"""How many lines, each a constant, differ from cluster to cluster; they stand first."""
NAMED_BYTES = 1024 * 1024
"""Bodies above this length go as they came where nobody decided: Envoy's thread would be searching them."""


def source(served: Served) -> str:
    """Write the program of one cluster; every line ends with a line break."""
    constants = {
        "CLUSTER": text.lua(served.cluster.encode()),
        "DEFAULT": _name(served.default),
        "HOST": text.lua(served.host.encode()),
        "SERVED": _names(_name(name) for name in served.names),
        "PATHS": _names(text.lua(path.encode()) for path in sorted(set(samples.API_PATHS))),
        "NAMED_BYTES": str(NAMED_BYTES),
    }
    lines = (f"local {name} = {value}\n" for name, value in constants.items())
    return f"{''.join(lines)}\n{templates.source(SHARED)}"


def _name(model: str) -> str:
    """Write a model's name as it stands between the quotes of a JSON body."""
    return text.lua(json.dumps(model, ensure_ascii=False)[1:-1].encode())


def _names(written: Iterable[str]) -> str:
    return "{" + ", ".join(f"[{name}] = true" for name in written) + "}"
