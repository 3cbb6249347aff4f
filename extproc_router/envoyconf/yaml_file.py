"""The text of an Envoy bootstrap file -> plain data, and the nodes that know its lines.

Envoy's own files use anchors and aliases to say a thing once, so these are followed; what a few lines may expand to
is bounded before anything is built from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from extproc_router.envoyconf import scalars
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024
# Keys count, and every alias is written out. A cluster as in our own file takes about 80: there is room for 3,000.
MAX_NODES = 250_000
MAX_DEPTH = 100
# Envoy's own tag: a key that holds anchors, and is dropped.
_IGNORE = "!ignore"
# They end a line, and a comment, in YAML 1.1; Envoy takes them for letters.
_BREAKS = tuple(letter.encode() for letter in ("\u0085", "\u2028", "\u2029"))
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> tuple[dict[Any, Any], yaml.MappingNode]:
    """Read one YAML mapping.

    Returns:
        The data as Envoy reads it, without nulls, which say nothing, and the node that it was built from.

    Raises:
        StartupError: it cannot be read, is no YAML mapping, holds itself, or is larger or deeper than the bounds.
    """
    try:
        text = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise StartupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if len(text) > MAX_BYTES:
        raise StartupError(f"{path}: larger than {MAX_BYTES} bytes")
    for number, line in enumerate(text.split(b"\n"), 1):
        if any(letter in line for letter in _BREAKS):
            raise StartupError(f"{path}:{number}: a line break beyond ASCII: Envoy does not see one there")
    try:
        return _build(text, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise StartupError(f"{path}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise StartupError(f"{path}: not YAML: {error}") from error


def _build(text: bytes, path: Path) -> tuple[dict[Any, Any], yaml.MappingNode]:
    _bound_events(text, path)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise StartupError(f"{path}: expected a mapping at the top level")
        _Bounds(path).measure(root)
        return _data(root, {}), root
    finally:
        loader.dispose()


def _data(node: yaml.Node, known: dict[int, Any]) -> Any:  # noqa: ANN401 - as YAML has it
    """Return what a node says; an alias is the same object again."""
    if id(node) not in known:
        if isinstance(node, yaml.MappingNode):
            said = {key.value: _data(value, known) for key, value in node.value}
            known[id(node)] = {key: value for key, value in said.items() if value is not None}
        elif isinstance(node, yaml.SequenceNode):
            known[id(node)] = [_data(item, known) for item in node.value]
        else:
            known[id(node)] = scalars.read(node)
    return known[id(node)]


def _bound_events(text: bytes, path: Path) -> None:
    """Refuse what would recurse deeply or be slow to compose; the parser's events do neither."""
    depth = count = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        tag = getattr(event, "tag", None)
        if tag and tag != _IGNORE:
            raise StartupError(f"{path}:{line}: tags are not supported: {tag}")
        count += isinstance(event, yaml.NodeEvent)
        if count > MAX_NODES:
            raise StartupError(f"{path}:{line}: more than {MAX_NODES} values")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise StartupError(f"{path}:{line}: nested deeper than {MAX_DEPTH} levels")


class _Bounds:
    """Measures nodes with their aliases written out, each node once: an alias is the same node again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # id -> (nodes, levels); None while a node's own children are measured.
        self._known: dict[int, tuple[int, int] | None] = {}

    def measure(self, node: yaml.Node) -> tuple[int, int]:
        if node.tag == _IGNORE:
            raise self._refuse(node, f"tags are not supported: {_IGNORE}, but for a key")
        known = self._known.get(id(node), ())
        if known is None:
            raise self._refuse(node, "an anchor holds itself")
        if known:
            return known
        self._known[id(node)] = None
        sizes = [self.measure(child) for child in self._children(node)]
        nodes, levels = 1 + sum(size for size, _ in sizes), 1 + max((deep for _, deep in sizes), default=0)
        if nodes > MAX_NODES:
            raise self._refuse(node, f"more than {MAX_NODES} values, with every alias written out")
        if levels > MAX_DEPTH:
            raise self._refuse(node, f"nested deeper than {MAX_DEPTH} levels, with every alias written out")
        self._known[id(node)] = nodes, levels
        return nodes, levels

    def _children(self, node: yaml.Node) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if not isinstance(node, yaml.MappingNode):
            return []
        node.value = [pair for pair in node.value if pair[0].tag != _IGNORE]
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._refuse(key, "a key must be a plain word")
            if key.tag == "tag:yaml.org,2002:merge":
                raise self._refuse(key, "Envoy knows no merge keys (<<)")
            if key.value in seen:
                raise self._refuse(key, f"duplicate key {key.value!r}")
            seen.add(key.value)
        return [value for _, value in node.value]

    def _refuse(self, node: yaml.Node, message: str) -> StartupError:
        return StartupError(f"{self._path}:{node.start_mark.line + 1}: {message}")
