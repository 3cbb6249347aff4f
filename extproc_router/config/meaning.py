"""What a shape cannot say: names that must be unique, names that must exist.

It reads the plain data, tolerantly, so that a misspelt field elsewhere does not hide these mistakes.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from extproc_router.config.document import Document
    from extproc_router.types import Mistake


def mistakes(
    document: Document, *, labels: Collection[str] | None = None, clusters: Collection[str] | None = None
) -> Iterator[Mistake]:
    """Find every name that is used twice or refers to nothing.

    Args:
        document: the file.
        labels: the domains that the encoder tells apart; None where they are not known.
        clusters: those that Envoy has; None likewise.
    """
    data = _mapping(document.data)
    models = [_mapping(model) for model in _sequence(data.get("models"))]
    auto = _sequence(data.get("auto", ["auto"]))
    tiers = _sequence(data.get("privacy_tiers", ["public"]))
    yield from _duplicates(document, "auto", auto)
    yield from _duplicates(document, "privacy_tiers", tiers)
    yield from _model_names(document, models, auto)
    for index, model in enumerate(models):
        if "privacy" in model:
            yield from _unknown(document, ("models", index, "privacy"), "privacy tier", model["privacy"], tiers)
        if clusters is not None:
            yield from _unknown(document, ("models", index, "cluster"), "cluster", model.get("cluster"), clusters)
    names = [model.get("name") for model in models]
    routing = _mapping(data.get("routing"))
    if "default" in routing:
        yield from _unknown(document, ("routing", "default"), "model", routing["default"], names)
    for label, name in _mapping(routing.get("domains")).items():
        yield from _unknown(document, ("routing", "domains", str(label)), "model", name, names)
        if labels is not None:
            yield from _unknown(document, ("routing", "domains", str(label)), "domain", label, labels)


def did_you_mean(name: str, known: Iterable[Any]) -> str:
    """Return ` (did you mean ...?)`, or nothing where no known name is near."""
    near = get_close_matches(name, [entry for entry in known if isinstance(entry, str)], n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _mapping(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _unknown(
    document: Document, path: tuple[str | int, ...], what: str, name: object, known: Collection[Any]
) -> Iterator[Mistake]:
    # A name of a wrong type is the shape's to report.
    if isinstance(name, str) and name not in known:
        yield document.mistake(path, f"unknown {what} {name!r}{did_you_mean(name, known)}")


def _duplicates(document: Document, field: str, values: list[Any]) -> Iterator[Mistake]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield document.mistake((field, index), f"duplicate {value!r}")


def _model_names(document: Document, models: list[dict[Any, Any]], auto: list[Any]) -> Iterator[Mistake]:
    first_line: dict[str, int] = {}
    for index, model in enumerate(models):
        name, path = model.get("name"), ("models", index, "name")
        if not isinstance(name, str):
            continue
        if name in first_line:
            yield document.mistake(path, f"duplicate model {name!r}; first on line {first_line[name]}")
        if name in auto:
            yield document.mistake(path, f"{name!r} is an `auto` name: it cannot be a model too")
        first_line.setdefault(name, document.lines[("models", str(index))])
