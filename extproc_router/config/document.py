"""YAML text -> plain data, with the line of every value.

Written config is plain: no tags, no merge keys, no anchors. Anchors would let a few lines expand to gigabytes, and a
value that stands in two places has no one line to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct

from extproc_router.errors import ConfigError
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from collections.abc import Hashable

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Path = tuple[str, ...]


class Document(Struct, frozen=True):
    """A parsed file.

    Attributes:
        file: its name.
        data: plain data; of duplicate keys the last.
        lines: 1-based line of each path into `data`.
        mistakes: what is wrong with the text itself, and leaves the rest readable.
    """

    file: str
    data: Any
    lines: dict[tuple[str, ...], int]
    mistakes: tuple[Mistake, ...]

    def mistake(self, path: tuple[str | int, ...], message: str) -> Mistake:
        """Say what is wrong at `path`; the line is that of the nearest value that exists."""
        keys = tuple(str(part) for part in path)
        known = keys
        while known and known not in self.lines:
            known = known[:-1]
        # A key may be anything, and is printed on terminals.
        field = ".".join(key if key.isprintable() else repr(key) for key in keys)
        return Mistake(self.file, self.lines.get(known, 1), field or "(file)", message)


def parse(text: str | bytes, file: str) -> Document:
    """Parse one YAML document.

    Raises:
        ConfigError: not UTF-8, not YAML, not one mapping, too large, too deep; or anchors, tags, odd keys.
    """
    if len(text) > MAX_BYTES:
        raise _error(file, 1, f"larger than {MAX_BYTES} bytes")
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise _error(file, 1 + text[: error.start].count(b"\n"), "not UTF-8") from error  # type: ignore[arg-type]  # only bytes fail to decode
    loader = _Loader(decoded)
    try:
        mistakes = _refuse_events(decoded, file)
        if mistakes:
            raise ConfigError(tuple(mistakes))
        node = loader.get_single_node()
        if node is None:
            raise _error(file, 1, "the file is empty")
        if not isinstance(node, yaml.MappingNode):
            raise _error(file, node.start_mark.line + 1, "expected a mapping at the top level")
        lines: dict[_Path, int] = {(): 1}
        _walk(node, (), lines, mistakes, file)
        return Document(file, loader.construct_document(node), lines, tuple(mistakes))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(file, mark.line + 1 if mark else 1, error.problem or "not YAML") from error
    # A scalar that looks like a date or a number and is none: the constructor's own errors.
    except (yaml.YAMLError, ValueError, ArithmeticError) as error:
        raise _error(file, 1, f"not YAML: {error}") from error
    finally:
        loader.dispose()


def _error(file: str, line: int, message: str) -> ConfigError:
    return ConfigError((Mistake(file, line, "(file)", message),))


def _refuse_events(text: str, file: str) -> list[Mistake]:
    """Find what plain config does not use, before anything is expanded or recursed into."""
    mistakes: list[Mistake] = []
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            mistakes.append(Mistake(file, line, "(file)", "anchors and aliases are not supported; write the value out"))
        elif tag:
            mistakes.append(Mistake(file, line, "(file)", f"tags are not supported: {tag}"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(file, line, f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return mistakes


def _walk(node: yaml.Node, path: _Path, lines: dict[_Path, int], mistakes: list[Mistake], file: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[Hashable, int] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            line = key.start_mark.line + 1
            here = (*path, name)
            if name in seen:
                mistakes.append(Mistake(file, line, ".".join(here), f"duplicate key; first on line {seen[name]}"))
            if not isinstance(key, yaml.ScalarNode):
                raise _error(file, line, "a key must be a plain word")
            if key.tag == "tag:yaml.org,2002:merge":
                raise _error(file, line, "merge keys (<<) are not supported; write the value out")
            seen.setdefault(name, line)
            lines[here] = line
            _walk(value, here, lines, mistakes, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            here = (*path, str(index))
            lines[here] = item.start_mark.line + 1
            _walk(item, here, lines, mistakes, file)
