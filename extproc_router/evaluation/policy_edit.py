"""Change numbers in a policy file in place: every other byte stays, comments included."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from extproc_router.config import loader
from extproc_router.errors import ConfigError, StartupError

_BOM = "\ufeff"


def read(path: Path) -> str:
    """Return a policy's text.

    Raises:
        StartupError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise StartupError(f"{path}: not UTF-8") from error
    except OSError as error:
        raise StartupError(f"{path}: {error.strerror or error}") from error


def write(path: Path, text: str) -> None:
    """Replace a policy's text at once; a link's target is what changes.

    Raises:
        StartupError: it cannot be written.
    """
    try:
        _replace(path.resolve(), text.encode())
    except OSError as error:
        raise StartupError(f"{path}: {error.strerror or error}") from error


def write_sound(path: Path, text: str, otherwise: str) -> None:
    """Replace a policy's text as `write` does, unless it would have mistakes then.

    Args:
        path: the policy.
        text: what it shall be.
        otherwise: introduces the mistakes in the error.

    Raises:
        StartupError: it has mistakes, or cannot be written.
    """
    try:
        loader.load(text, str(path))
    except ConfigError as error:
        raise StartupError(f"{path}: not written; {otherwise}:\n{error}") from error
    write(path, text)


def spliced(text: str, field: str, value: float | Mapping[str, Any], file: str) -> str:
    """Return the text with the field's scalar replaced, or the field inserted.

    Args:
        text: YAML.
        field: dotted, with numbers for positions in lists, e.g. `routing.confidence_floor`. The field may be missing
            where its parent is a mapping: it becomes the parent's first.
        value: a finite number, or a mapping of names to such values; a mapping replaces nothing but an empty value.
        file: its name, for errors.

    Raises:
        StartupError: not YAML, or no such place.
    """
    mark, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    keys = field.split(".")
    try:
        changed = _changed(body, keys, value, file)
    except RecursionError as error:
        raise StartupError(f"{file}: nested too deeply") from error
    return mark + changed


def _changed(body: str, keys: list[str], value: float | Mapping[str, Any], file: str) -> str:
    field, written = ".".join(keys), _written(value)
    try:
        tokens = list(yaml.scan(body, Loader=yaml.SafeLoader))
        root = yaml.compose(body, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise StartupError(f"{file}: not YAML: {error}") from error
    if root is None:
        raise StartupError(f"{file}: the file is empty")
    if any(isinstance(token, yaml.AliasToken) for token in tokens):
        # One text stands for several places then, and they cannot be changed apart.
        raise StartupError(f"{file}: has aliases (*name); write {written} to {field} by hand")
    parent = root
    for key in keys[:-1]:
        parent = _child(parent, key) or _nowhere(file, field, key)
    node = _child(parent, keys[-1])
    if node is None:
        changed = _inserted(body, parent, keys[-1], written, f"{file}: {field}")
    elif isinstance(node, yaml.ScalarNode):
        start, end = _span(node, tokens)
        if isinstance(value, Mapping) and end > start:
            raise StartupError(f"{file}: {field} is a single value, and no mapping")
        # An empty value stands right behind its colon, or behind its anchor or tag.
        changed = body[:start] + (written if end > start else f" {written}") + body[end:]
    else:
        raise StartupError(f"{file}: {field} is not a single value")
    if not _differ_there_alone(body, changed, keys, value):
        raise StartupError(f"{file}: {field} cannot be changed in place; write {written} there by hand")
    return changed


def _span(node: yaml.ScalarNode, tokens: list[yaml.Token]) -> tuple[int, int]:
    """Where the scalar itself is written, in characters: a node begins with its anchor and tag."""
    first, last = node.start_mark.index, node.end_mark.index
    for token in tokens:
        if isinstance(token, yaml.ScalarToken) and first <= token.start_mark.index and token.end_mark.index == last:
            return token.start_mark.index, last
    return last, last


def _written(value: float | Mapping[str, Any]) -> str:
    """Spell a number so that YAML 1.1 reads it as one: 1e-07 would be a string."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_written(part)}" for name, part in value.items()) + "}"
    text = repr(float(value))
    mantissa, letter, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if letter and "." not in mantissa else text


def _child(node: yaml.Node, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        # Of duplicates YAML's readers take the last.
        found = [value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key]
        return found[-1] if found else None
    if isinstance(node, yaml.SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        child: yaml.Node = node.value[int(key)]
        return child
    return None


def _nowhere(file: str, field: str, key: str) -> yaml.Node:
    raise StartupError(f"{file}: {field}: there is no {key!r}")


def _inserted(text: str, parent: yaml.Node, key: str, written: str, place: str) -> str:
    if not isinstance(parent, yaml.MappingNode) or not parent.value:
        raise StartupError(f"{place}: there is no such field, and no mapping that it could be added to")
    first = parent.value[0][0].start_mark
    if parent.flow_style:
        return f"{text[: first.index]}{key}: {written}, {text[first.index :]}"
    line = first.index - first.column
    indent = text[line : first.index]
    if indent.strip():
        raise StartupError(f"{place}: there is no such field, and its parent does not begin on its own line")
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text[:line]}{indent}{key}: {written}{newline}{text[line:]}"


def _differ_there_alone(before: str, after: str, keys: list[str], value: float | Mapping[str, Any]) -> bool:
    """Whether the documents are equal but for the field, which is the value after."""
    try:
        expected, found = yaml.safe_load(before), yaml.safe_load(after)
        old, new = expected, found
        for key in keys[:-1]:
            old, new = _item(old, key), _item(new, key)
        if _item(new, keys[-1]) != value:
            return False
        for parent in (old, new):
            if isinstance(parent, list):
                parent[int(keys[-1])] = value
            else:
                parent.pop(keys[-1], None)
    except (yaml.YAMLError, KeyError, IndexError, TypeError, ValueError):
        return False
    # Not-a-number is unequal to itself, but spelt alike.
    return bool(expected == found or repr(expected) == repr(found))


def _item(parent: Any, key: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    return parent[int(key)] if isinstance(parent, list) else parent[key]


def _replace(target: Path, content: bytes) -> None:
    mode = stat.S_IMODE(target.stat().st_mode)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary = Path(name)
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
