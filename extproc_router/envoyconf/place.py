"""A value of a bootstrap file, and where it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct, field

from extproc_router.envoyconf import scalars
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DECIMAL = re.compile(r"\d{1,20}\.?\d{0,20}(?:[eE][-+]?\d{1,2})?", re.ASCII)
UNDECIDED = "every request goes where those go that nobody decided"
"""What becomes of requests where the router is not asked, or not heard."""
_DAMAGE = 60  # characters of a bad value that a message shows


class Finding(Struct, frozen=True):
    """Something to tell; `certain` False where it is no mistake: what could not be checked, or what a site may mean."""

    mistake: Mistake
    certain: bool = True


class Place(Struct, frozen=True):
    """A value and its line; absent values stand where their parent does.

    Attributes:
        file: the file's name.
        line: 1-based.
        value: plain data; None where absent.
        node: what `value` was built from; None where absent.
        present: whether it was written; null says nothing.
        known: members that were asked for: routes are walked through many times.
    """

    file: str
    line: int
    value: Any
    node: yaml.Node | None
    present: bool = True
    known: dict[str, Place] = field(default_factory=dict)

    def get(self, name: str) -> Place:
        """Return a member, spelled as in the proto or in lowerCamelCase: Envoy reads both."""
        found = self.known.get(name)
        if found is None:
            found = self.known[name] = self._find(name)
        return found

    def _find(self, name: str) -> Place:
        if isinstance(self.node, yaml.MappingNode) and isinstance(self.value, dict):
            first, *rest = name.split("_")
            spellings = (name, first + "".join(word.title() for word in rest))
            for key, node in self.node.value:
                if key.value in spellings and key.value in self.value:
                    return Place(self.file, key.start_mark.line + 1, self.value[key.value], node)
        return Place(self.file, self.line, None, None, present=False)

    def each(self, name: str) -> list[Place]:
        """Return the messages of a repeated member; what is no message, Envoy itself refuses."""
        return [place for place in self.get(name).children() if isinstance(place.value, dict)]

    def children(self) -> Iterator[Place]:
        """Yield the values directly inside."""
        if isinstance(self.node, yaml.MappingNode) and isinstance(self.value, dict):
            for key, node in self.node.value:
                if key.value in self.value:
                    yield Place(self.file, key.start_mark.line + 1, self.value[key.value], node)
        elif isinstance(self.node, yaml.SequenceNode) and isinstance(self.value, list):
            for node, value in zip(self.node.value, self.value, strict=True):
                yield Place(self.file, node.start_mark.line + 1, value, node)

    def messages(self) -> Iterator[Place]:
        """Yield every message below, this one first."""
        if isinstance(self.value, dict):
            yield self
        for child in self.children():
            yield from child.messages()

    def text(self, name: str) -> str:
        """Return a string member, empty where it is absent or something else."""
        value = self.get(name).value
        return value if isinstance(value, str) else ""

    def names(self, name: str) -> list[str]:
        """Return the texts of a repeated member in lower case, as headers compare."""
        return [place.value.lower() for place in self.get(name).children() if isinstance(place.value, str)]

    def kind(self) -> str:
        """Return the message type that its `@type` names, without package."""
        return self.text("@type").rpartition(".")[2]

    def truth(self) -> bool | None:
        """Return a truth as Envoy reads it; None where it is absent, or what Envoy refuses."""
        return scalars.truth(self.value)

    def whole(self) -> int | None:
        """Return a number as Envoy reads it from YAML (digits in quotes count too), or None where it is none."""
        value = self.value
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = int(value) if value.isdigit() else float(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64 else None

    def mistake(self, field: str, message: str) -> Finding:
        """Say what is wrong here."""
        return Finding(Mistake(self.file, self.line, field, message))

    def note(self, field: str, message: str) -> Finding:
        """Say what is here, and no mistake."""
        return Finding(Mistake(self.file, self.line, field, message), certain=False)

    def unchecked(self, field: str, message: str) -> Finding:
        """Say what is not understood here."""
        return self.note(field, f"not checked: {message}")


def once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Keep the first finding of each place and field: many samples find the same, differently worded."""
    seen = set()
    for finding in findings:
        at = (finding.mistake.line, finding.mistake.field, finding.certain)
        if at not in seen:
            seen.add(at)
            yield finding


def shown(value: object) -> str:
    """Return a value as messages show it."""
    text = repr(value)
    return text if len(text) <= _DAMAGE else f"{text[:_DAMAGE]}..."
