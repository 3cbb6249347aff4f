"""Reading an Envoy bootstrap file: its clusters, and its ext_proc filters as typed messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import ExternalProcessor

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_EXT_PROC = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"
_MAX_BYTES = 16 * 1024 * 1024
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> dict[str, Any]:
    """Read a bootstrap file.

    Raises:
        StartupError: it cannot be read, or is no YAML mapping.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise StartupError(f"{path}: {error.strerror or error}") from error
    if len(text) > _MAX_BYTES:
        raise StartupError(f"{path}: larger than {_MAX_BYTES} bytes")
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the C one where there is one
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise StartupError(f"{path}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise StartupError(f"{path}: expected a mapping at the top level")
    return data


def cluster_names(bootstrap: dict[str, Any]) -> frozenset[str]:
    """Return the names of the static clusters."""
    resources = bootstrap.get("static_resources")
    clusters = resources.get("clusters") if isinstance(resources, dict) else None
    entries = clusters if isinstance(clusters, list) else []
    return frozenset(str(entry["name"]) for entry in entries if isinstance(entry, dict) and "name" in entry)


def ext_proc_filters(bootstrap: dict[str, Any]) -> Iterator[tuple[dict[str, Any], ExternalProcessor]]:
    """Find every ext_proc filter, wherever it stands.

    Yields:
        The HTTP connection manager or cluster options that hold it, and the filter.

    Raises:
        StartupError: a filter has a field that Envoy does not know.
    """
    for parent, config in _typed_configs(bootstrap, bootstrap):
        if config.get("@type") == _EXT_PROC:
            fields = {key: value for key, value in config.items() if key != "@type"}
            try:
                yield parent, ExternalProcessor.from_dict(fields)
            except (KeyError, TypeError, ValueError) as error:
                raise StartupError(f"envoy.filters.http.ext_proc: {error}") from error


def _typed_configs(node: object, parent: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Walk the tree; `parent` is the nearest message with an `@type` above."""
    if isinstance(node, dict):
        holder = parent
        if "@type" in node:
            yield parent, node
            holder = node
        for value in node.values():
            yield from _typed_configs(value, holder)
    elif isinstance(node, list):
        for value in node:
            yield from _typed_configs(value, parent)
