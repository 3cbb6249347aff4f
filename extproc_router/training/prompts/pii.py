"""Fill PII templates with invented values, and say where they stand."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.training.data import Split
from extproc_router.training.prompts.loader import Example, load, split
from extproc_router.training.prompts.pii_values import TYPES, value

if TYPE_CHECKING:
    from collections.abc import Sequence

_SLOT = re.compile(r"\{\{([A-Z]+)\}\}")


class Span(Struct, frozen=True):
    """One piece of personal data.

    Attributes:
        start: of its first character.
        end: one past its last; text[start:end] == value.
        type: e.g. `PERSON`, a value of `pii_values.TYPES`.
        value: as it stands in the text.
    """

    start: int
    end: int
    type: str
    value: str


class Filled(Struct, frozen=True):
    """A template with its slots filled.

    Attributes:
        text: without slots.
        spans: in the order of the text, without overlap; empty for a template without slots.
        lang: of the template.
        group: of the template.
        split: of the template; fillings of one template are on one side.
    """

    text: str
    spans: tuple[Span, ...]
    lang: str
    group: str
    split: Split


def fill(template: Example, chooser: random.Random) -> Filled:
    """Fill every slot with a value of its own.

    Args:
        template: its text has slots such as `{{PERSON}}`, named in `pii_values.TYPES`, or none.
        chooser: of the values.

    Returns:
        The text, with one span for each slot.

    Raises:
        StartupError: a slot or the language is unknown; names the template's group.
    """
    parts: list[str] = []
    spans: list[Span] = []
    length = copied = 0
    for match in _SLOT.finditer(template.text):
        slot = match[1]
        try:
            filling = value(slot, template.lang, chooser)
        except KeyError as error:
            raise StartupError(f"template {template.group}: nothing for {slot} in {template.lang!r}") from error
        before = template.text[copied : match.start()]
        start = length + len(before)
        length = start + len(filling)
        copied = match.end()
        parts += (before, filling)
        spans.append(Span(start, length, TYPES[slot], filling))
    text = "".join((*parts, template.text[copied:]))
    return Filled(text, tuple(spans), template.lang, template.group, split(template))


def generate(count: int, seed: int, templates: Sequence[Example] | None = None) -> tuple[Filled, ...]:
    """Fill templates, each as often as any other, give or take one.

    Args:
        count: how many texts, at least 0. Templates without slots come once each and not again.
        seed: of order and values.
        templates: the project's own where None.

    Returns:
        At most `count` texts: fewer only where no template has a slot.

    Raises:
        StartupError: a template cannot be filled.
    """
    chooser = random.Random(seed)  # noqa: S311  invented values, not secrets
    once = list(load("pii_templates") if templates is None else templates)
    chooser.shuffle(once)
    again = [template for template in once if _SLOT.search(template.text)]
    filled = [fill(template, chooser) for template in once[:count]]
    while again and len(filled) < count:
        chooser.shuffle(again)
        filled += [fill(template, chooser) for template in again[: count - len(filled)]]
    return tuple(filled)
