"""A bootstrap, read by the classes that are generated from Envoy's own protos: they know every field, and no other."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import yaml
from envoy_data_plane.envoy.config.bootstrap.v3 import Bootstrap

from extproc_router.envoyconf.render import priority_group
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = "type.googleapis.com/"
# betterproto2 would look for `consecutive_5_xx`: this one field goes unread.
_MISSPELT = frozenset({"consecutive_5xx"})
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str) -> Bootstrap:
    """Read YAML as a typed bootstrap, whatever stands in its `typed_config`s included.

    Raises:
        StartupError: it has a field, a value or a message that Envoy's protos do not know.
    """
    data = _readable(yaml.load(text, Loader=_Loader))  # noqa: S506 - a safe one
    try:
        for package in sorted({name.removeprefix(_TYPES).rpartition(".")[0] for name in _types(data)}):
            # An `Any` is read by what has been imported.
            if package != priority_group.PACKAGE:
                import_module(f"envoy_data_plane.{package}")
        return Bootstrap.from_dict(data)
    except (ArithmeticError, AttributeError, ImportError, KeyError, TypeError, ValueError) as error:
        raise StartupError(f"Envoy does not know what was written: {' '.join(str(error).split())}") from error


def _types(data: Any) -> Iterator[str]:  # noqa: ANN401 - plain data
    if isinstance(data, dict):
        if "@type" in data:
            yield data["@type"]
        data = list(data.values())
    if isinstance(data, list):
        for inner in data:
            yield from _types(inner)


def _readable(data: Any) -> Any:  # noqa: ANN401 - plain data
    if isinstance(data, dict):
        return {key: _readable(value) for key, value in data.items() if key not in _MISSPELT}
    return [_readable(value) for value in data] if isinstance(data, list) else data
