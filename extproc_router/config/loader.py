"""Document -> Config: shape by pydantic, meaning (names that refer to names) by `meaning`. All mistakes at once."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from pydantic import ValidationError

from extproc_router.candidates import Candidate
from extproc_router.config import document as yaml_document
from extproc_router.config import meaning, models, schema, shape
from extproc_router.errors import ConfigError
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SEPARATE = ("signals", "safety", "rules")
"""Sections of which one entry can be checked without the others."""
_UNREAD = ("limits", "metadata")
"""Sections that nothing else is checked by."""
_LOOKED_AT = 10 * yaml_document.MAX_MISTAKES
"""Of mistakes, before they are put in order: a file of a million takes no hours."""


class Config(Struct, frozen=True):
    """A checked config.

    Attributes:
        version: first 12 hex digits of the SHA-256 of the file's bytes.
        metadata: free text of its author.
        auto: model names that mean "route this".
        privacy_tiers: lowest first.
        candidates: the models, in file order, adapters behind their base.
        routing: what decides where no rule does, as written.
        limits: bounds, as written.
        written: the whole file, as written.
        document: where each value stood, for mistakes that are found later.
        left_out: section -> places of the entries that have mistakes and are not in `written`; a draft's alone.
    """

    version: str
    metadata: dict[str, str]
    auto: tuple[str, ...]
    privacy_tiers: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    routing: schema.Routing
    limits: schema.Limits
    written: schema.File
    document: yaml_document.Document
    left_out: dict[str, frozenset[int]]

    def entries(self, section: str) -> Iterator[tuple[int, Any]]:
        """Yield each entry of `signals`, `safety` or `rules` with its place in the file."""
        written = getattr(self.written, section)
        left_out = self.left_out.get(section, frozenset())
        places = (place for place in range(len(written) + len(left_out)) if place not in left_out)
        yield from zip(places, written, strict=True)


class Draft(Struct, frozen=True):
    """What a file comes to.

    Attributes:
        config: what is good of it; None where too little is for anything else to be found.
        mistakes: what is not, in file order.
    """

    config: Config | None
    mistakes: tuple[Mistake, ...]


def load(text: str | bytes, file: str, *, clusters: Collection[str] | None = None) -> Config:
    """Read a config.

    Args:
        text: the file's content.
        file: its name, for mistakes.
        clusters: the clusters that models may name; None where they are not known.

    Raises:
        ConfigError: with every mistake that could be found.
    """
    drafted = draft(text, file, clusters=clusters)
    if drafted.mistakes or drafted.config is None:
        raise ConfigError(drafted.mistakes)
    return drafted.config


def draft(text: str | bytes, file: str, *, clusters: Collection[str] | None = None) -> Draft:
    """Read as much of a config as is good, so that what compiling finds can be told with the rest.

    Args:
        text: as in `load`, like the others.
        file: its name.
        clusters: those that there are.

    Raises:
        ConfigError: it cannot be read at all.
    """
    document = yaml_document.parse(text, file)
    found = [*document.mistakes, *shape.empties(document)]
    told = {mistake.field for mistake in found}
    found += islice(meaning.mistakes(document, clusters=clusters), _LOOKED_AT)
    left_out: dict[str, frozenset[int]] = {}
    written: schema.File | None
    try:
        written = schema.File.model_validate(document.data)
    except ValidationError as error:
        # What stands there in place of a value that YAML could not read is of a wrong type, too.
        shaped = (mistake for mistake in shape.mistakes(document, error) if mistake.field not in told)
        found += islice(shaped, _LOOKED_AT)
        left_out = _left_out(error)
        written = _rest(document.data, left_out)
    config = None if written is None else _config(document, written, text, left_out)
    return Draft(config, yaml_document.in_file_order(found))


def _left_out(error: ValidationError) -> dict[str, frozenset[int]]:
    """Find the entries that have mistakes, where each stands for itself."""
    places: dict[str, set[int]] = {}
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        section, place, *_ = (*detail["loc"], None)
        if section in _SEPARATE and isinstance(place, int):
            places.setdefault(str(section), set()).add(place)
    return {section: frozenset(places[section]) for section in places}


def _rest(data: dict[str, Any], left_out: dict[str, frozenset[int]]) -> schema.File | None:
    """Return the file without the entries that have mistakes; None where what all depends on has some."""
    good = {section: entry for section, entry in data.items() if section not in _UNREAD}
    for section, places in left_out.items():
        good[section] = [entry for place, entry in enumerate(data[section]) if place not in places]
    try:
        return schema.File.model_validate(good)
    except ValidationError:
        return None


def version_of(text: bytes) -> str:
    """Return the version of a config: the first 12 hex digits of the SHA-256 of its file's bytes."""
    return hashlib.sha256(text).hexdigest()[:12]


def _config(
    document: yaml_document.Document, written: schema.File, text: str | bytes, left_out: dict[str, frozenset[int]]
) -> Config:
    raw = text.encode() if isinstance(text, str) else text
    return Config(
        version=version_of(raw),
        metadata=dict(written.metadata),
        auto=tuple(written.auto),
        privacy_tiers=tuple(written.privacy_tiers),
        candidates=tuple(models.candidates(written.models, written.privacy_tiers)),
        routing=written.routing,
        limits=written.limits,
        written=written,
        document=document,
        left_out=left_out,
    )
