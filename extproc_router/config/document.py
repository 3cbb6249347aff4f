"""YAML text -> plain data, with the line of every value.

Written config is plain: no tags, no merge keys, no anchors. Anchors would let a few lines expand to gigabytes, and a
value that stands in two places has no one line to blame. Keys are text as it stands there, whatever YAML makes of it.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct

from extproc_router.errors import ConfigError
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 1024 * 1024
"""A Kubernetes ConfigMap holds no more."""
MAX_DEPTH = 32
MAX_MISTAKES = 100
"""Of those, people mend the first."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Path = tuple[str, ...]
_TEXT = "tag:yaml.org,2002:str"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Document(Struct, frozen=True):
    """A parsed file.

    Attributes:
        file: its name.
        data: plain data; of duplicate keys the last. A scalar that is no value of its own type is text.
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
        return Mistake(self.file, self.lines.get(known, 1), field(keys), message)


def field(keys: Iterable[str]) -> str:
    """Spell a path as mistakes do; a key may be anything, and is printed on terminals."""
    return ".".join(key if key.isprintable() else repr(key) for key in keys) or "(file)"


def in_file_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Sort mistakes as people read a file, each told once, the first `MAX_MISTAKES` of them."""
    ordered = sorted(set(mistakes), key=lambda mistake: (mistake.line, mistake.field, mistake.message))
    return tuple(ordered[:MAX_MISTAKES])


def parse(text: str | bytes, file: str) -> Document:
    """Parse one YAML document.

    Raises:
        ConfigError: not UTF-8, not YAML, not one mapping, too large, too deep; or anchors, tags, odd keys.
    """
    if len(text) > MAX_BYTES:
        raise _error(file, 1, f"larger than {MAX_BYTES} bytes")
    decoded = _decoded(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"), file)
    loader = None
    try:
        loader = _Loader(decoded)
        mistakes = _refuse_events(decoded, file)
        if mistakes:
            raise ConfigError(in_file_order(mistakes))
        node = loader.get_single_node()
        if node is None:
            raise _error(file, 1, "the file is empty")
        if not isinstance(node, yaml.MappingNode):
            raise _error(file, node.start_mark.line + 1, "expected a mapping at the top level")
        walk = _Walk(file, loader)
        walk.into(node, ())
        return Document(file, loader.construct_document(node), walk.lines, tuple(walk.mistakes))
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, decoded, file) from error
    except yaml.reader.ReaderError as error:
        place = _unprintable(decoded)
        shown = f"U+{ord(decoded[place]):04X}"
        raise _error(file, 1 + decoded.count("\n", 0, place), f"YAML has no place for the character {shown}") from error
    finally:
        if loader:
            loader.dispose()


def _decoded(text: bytes, file: str) -> str:
    if text.startswith(_UTF16):
        raise _error(file, 1, "this is UTF-16: save the file as UTF-8")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + text[: error.start].count(b"\n")
        raise _error(file, line, f"not UTF-8: byte 0x{text[error.start]:02x}") from error


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> ConfigError:
    """Say in a few more words than the parser's what people stumble over."""
    mark, problem = error.problem_mark or error.context_mark, error.problem or "not YAML"
    if problem == "found unexpected end of stream" and error.context_mark:
        mark, problem = error.context_mark, "a quote that is opened here is never closed"
    if mark is None:
        return _error(file, 1, problem)
    character = text[mark.index : mark.index + 1]
    if problem == "but found another document":
        problem = "a second document begins here (---): a config is one"
    elif character == "\t" or "tab character" in problem:
        problem = "a tab: YAML is indented by spaces"
    elif problem == "found character that cannot start any token":
        problem = f"put text with {character!r} in quotes"
    elif problem.startswith("did not find expected ',' or") and error.context_mark:
        problem += f" for the bracket that opens on line {error.context_mark.line + 1}"
    elif problem == "mapping values are not allowed in this context":
        problem += " (text with a colon and a blank belongs in quotes)"
    return _error(file, mark.line + 1, problem)


def _unprintable(text: str) -> int:
    """Return the place of the first character that YAML forbids."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return found.start() if found else 0


def _error(file: str, line: int, message: str) -> ConfigError:
    return ConfigError((Mistake(file, line, field(()), message),))


def _refuse_events(text: str, file: str) -> list[Mistake]:
    """Find what plain config does not use, before anything is expanded or recursed into."""
    mistakes: list[Mistake] = []
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            mistakes.append(
                Mistake(file, line, field(()), "anchors and aliases are not supported; write the value out")
            )
        elif tag:
            mistakes.append(Mistake(file, line, field(()), f"tags are not supported: {tag}"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(file, line, f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return mistakes


class _Walk:
    """Notes the line of every value, makes keys text, and finds what is wrong with single ones."""

    def __init__(self, file: str, loader: Any) -> None:  # noqa: ANN401 - which loader there is, PyYAML decides
        self._file, self._loader = file, loader
        self.lines: dict[_Path, int] = {(): 1}
        self.mistakes: list[Mistake] = []

    def into(self, node: yaml.Node, path: _Path) -> None:
        """Walk a node and all below it; at most `MAX_DEPTH` deep."""
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                here = (*path, str(index))
                self.lines[here] = item.start_mark.line + 1
                self.into(item, here)
        else:
            self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: _Path) -> None:
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _error(self._file, line, "a key must be a plain word")
            if key.tag == "tag:yaml.org,2002:merge":
                raise _error(self._file, line, "merge keys (<<) are not supported; write the value out")
            key.tag = _TEXT
            here = (*path, key.value)
            if key.value in seen:
                self._complain(here, line, f"duplicate key; first on line {seen[key.value]}")
            seen.setdefault(key.value, line)
            self.lines[here] = line
            self.into(value, here)

    def _scalar(self, node: yaml.Node, path: _Path) -> None:
        """Construct one value, so that what looks like a date or a number and is none has its line."""
        try:
            self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError, ArithmeticError):
            message = "looks like a date or a number to YAML, and is none: put it in quotes"
        else:
            return
        self._complain(path, node.start_mark.line + 1, message)
        # The loader remembers what it began, and takes it for a value that holds itself.
        self._loader.recursive_objects.pop(node, None)
        node.tag = _TEXT

    def _complain(self, path: _Path, line: int, message: str) -> None:
        self.mistakes.append(Mistake(self._file, line, field(path), message))
